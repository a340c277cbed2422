"""Count the tokens that the tools cost a model before it calls one (`make tokens`)."""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

import anyio
from mcp import Client
from mcp.types import Tool

from crossfade.server.mcp_server import INSTRUCTIONS
from crossfade.server.serving import make_server
from crossfade.server.settings import Settings

GOAL_INPUT = 2_200
"""Names, descriptions, input schemas and instructions."""
GOAL_ALL = 5_500
"""The same with output schemas, which hosts turn into typed stubs."""

TOKENIZER = "gpt-tokenizer"
TOKENIZER_VERSION = "4.0.0"
"""An npm package that carries the o200k vocabulary; tiktoken would load it from a host that may be out of reach."""
CACHE = Path("~/.cache/crossfade-tests").expanduser() / f"{TOKENIZER}-{TOKENIZER_VERSION}"
COUNT = f"""
import {{ countTokens }} from "{TOKENIZER}/encoding/o200k_base";
let given = "";
for await (const chunk of process.stdin) given += chunk;
console.log(JSON.stringify(JSON.parse(given).map((text) => countTokens(text))));
"""

Counter = Callable[[list[str]], list[int]]


def find_counter() -> tuple[Counter, str]:
    """How to count the tokens of texts, and how exact that is."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        return estimated, "ESTIMATE, 4 characters a token: node and npm are needed to count"
    if not (CACHE / "node_modules" / TOKENIZER / "package.json").is_file():
        CACHE.mkdir(parents=True, exist_ok=True)
        package = f"{TOKENIZER}@{TOKENIZER_VERSION}"
        install = [npm, "install", "--prefix", str(CACHE), "--no-audit", "--no-fund", "--loglevel=error", package]
        installed = subprocess.run(install, capture_output=True, text=True)
        if installed.returncode != 0:
            return estimated, f"ESTIMATE, 4 characters a token: npm could not install {package}"

    def counted(texts: list[str]) -> list[int]:
        command = [node, "--input-type=module", "--eval", COUNT]
        ran = subprocess.run(command, input=json.dumps(texts), capture_output=True, text=True, cwd=CACHE, check=True)
        return json.loads(ran.stdout)

    return counted, f"o200k_base by {TOKENIZER} {TOKENIZER_VERSION}"


def estimated(texts: list[str]) -> list[int]:
    return [-(-len(text) // 4) for text in texts]


async def published() -> list[Tool]:
    with tempfile.TemporaryDirectory() as home:
        server, _ = make_server(Settings(home=Path(home)), "bench")
        async with Client(server) as client:
            return (await client.list_tools()).tools


def compact(value: object) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def main() -> None:
    tools = anyio.run(published)
    count, how = find_counter()
    parts = [
        *([tool.name, tool.description or "", compact(tool.input_schema)] for tool in tools),
        ["", INSTRUCTIONS, ""],
    ]
    inputs = count(["\n".join(part).strip() for part in parts])
    outputs = [*count([compact(tool.output_schema) for tool in tools]), 0]
    print(f"tokens ({how})")
    print(f"{'':22}{'input':>8}{'output':>8}{'both':>8}")
    for name, given, answered in zip([*(tool.name for tool in tools), "instructions"], inputs, outputs, strict=True):
        print(f"{name:22}{given:8,}{answered:8,}{given + answered:8,}")
    print(f"{'total':22}{sum(inputs):8,}{sum(outputs):8,}{sum(inputs) + sum(outputs):8,}")
    print(f"{'goal':22}{GOAL_INPUT:8,}{'':8}{GOAL_ALL:8,}")


if __name__ == "__main__":
    main()
