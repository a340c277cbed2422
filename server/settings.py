"""Settings: the environment (CROSSFADE_...), then crossfade.toml in the home, then defaults."""

from __future__ import annotations

import os
import tomllib
from contextlib import suppress
from importlib.resources import files
from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

from ..core.errors import Misconfigured


class Settings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="CROSSFADE_", extra="forbid")

    home: Path = Field(default=Path("~/.crossfade"), description="where the store and relative delivery paths live")
    database_url: SecretStr | None = Field(
        default=None, description="postgresql://user:password@host/name of the store; else it is a file in the home"
    )
    catalogue: Path | None = Field(default=None, description="folder of the catalogue; else `catalogue` in the home")
    lease_seconds: float = Field(
        default=15.0, gt=0, le=3_600, description="life sign that an apply owes the other processes"
    )
    log_level: str = "warning"

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        file = Path(str(env_settings().get("home") or "~/.crossfade")).expanduser() / "crossfade.toml"
        try:
            toml = TomlConfigSettingsSource(settings_cls, file)
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else str(error)
            raise Misconfigured(
                f"The settings in {file} cannot be read.", got=reason, next="Mend the file, or move it away."
            ) from error
        return init_settings, env_settings, toml

    @classmethod
    def of_home_alone(cls) -> Settings:
        """The defaults, in the home that the environment names, with the store that it or the home's file names."""
        home = Path(os.environ.get("CROSSFADE_HOME") or "~/.crossfade")
        url = os.environ.get("CROSSFADE_DATABASE_URL") or _stored_url(home.expanduser() / "crossfade.toml")
        return cls.model_construct(home=home, database_url=SecretStr(url) if url else None)

    @property
    def root(self) -> Path:
        return self.home.expanduser().absolute()

    @property
    def database(self) -> Path | str:
        """Where the store is: its file, or the URL of its database with the password."""
        url = self.database_url.get_secret_value() if self.database_url is not None else ""
        return url or self.root / "crossfade.db"

    @property
    def catalogue_folder(self) -> Path:
        """The folder that is set, else the home's own, else the bundled example of a music streaming app."""
        if self.catalogue is not None:
            return self.catalogue.expanduser().absolute()
        own = self.root / "catalogue"
        return own if own.is_dir() else bundled_example()


def _stored_url(file: Path) -> str | None:
    """The database that a file names whose other settings may be wrong."""
    with suppress(OSError, ValueError):
        url = tomllib.loads(file.read_text(encoding="utf-8")).get("database_url")
        return url if isinstance(url, str) else None
    return None


def bundled_example() -> Path:
    return Path(str(files("crossfade.examples"))) / "streaming"
