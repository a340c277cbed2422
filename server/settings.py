"""Settings: the environment (CROSSFADE_...), then crossfade.toml in the home, then defaults."""

from __future__ import annotations

import os
from importlib.resources import files
from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

from ..core.errors import Misconfigured


class Settings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="CROSSFADE_", extra="forbid")

    home: Path = Field(default=Path("~/.crossfade"), description="where the store and relative delivery paths live")
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
        """The defaults, in the home that the environment names."""
        return cls.model_construct(home=Path(os.environ.get("CROSSFADE_HOME") or "~/.crossfade"))

    @property
    def root(self) -> Path:
        return self.home.expanduser().absolute()

    @property
    def database(self) -> Path:
        return self.root / "crossfade.db"

    @property
    def catalogue_folder(self) -> Path:
        """The folder that is set, else the home's own, else the bundled example of a music streaming app."""
        if self.catalogue is not None:
            return self.catalogue.expanduser().absolute()
        own = self.root / "catalogue"
        return own if own.is_dir() else bundled_example()


def bundled_example() -> Path:
    return Path(str(files("crossfade.examples"))) / "streaming"
