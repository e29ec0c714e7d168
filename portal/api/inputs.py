"""Shapes of input that several actions share. A query parameter is text, JSON has its own types."""

from __future__ import annotations

from typing import Annotated, Any

import orjson
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator


def _listed(value: Any) -> Any:
    """Take a JSON list, a list written as JSON text, words between commas, or one word."""
    if value is None or value == "":
        return []
    if not isinstance(value, str):
        return value
    text = value.strip()
    if text.startswith("["):
        try:
            return orjson.loads(text)
        except orjson.JSONDecodeError as error:
            raise ValueError("列表的 JSON 格式不对。") from error
    return [part.strip() for part in text.split(",") if part.strip()]


def json_object(value: Any) -> Any:
    if isinstance(value, str):
        try:
            return orjson.loads(value) if value.strip() else {}
        except orjson.JSONDecodeError as error:
            raise ValueError("JSON 格式不对。") from error
    return {} if value is None else value


def _number(value: Any) -> Any:
    return value.strip() if isinstance(value, str) else value


TextList = Annotated[list[str], BeforeValidator(_listed)]
JsonObject = Annotated[dict[str, Any], BeforeValidator(json_object)]
Count = Annotated[int, BeforeValidator(_number), Field(ge=0)]
Flag = bool
LONGEST_KEY = 300


class Input(BaseModel):
    """An input of which unknown keys are left alone, and numbers taken for texts, as CKAN does."""

    model_config = ConfigDict(extra="ignore", populate_by_name=True, coerce_numbers_to_str=True)

    @model_validator(mode="before")
    @classmethod
    def _without_nothing(cls, values: Any) -> Any:
        """Leave out what is null: clients send every parameter that they know."""
        if isinstance(values, dict):
            return {key: value for key, value in values.items() if value is not None}
        return values


class ById(Input):
    id: str = Field(min_length=1, max_length=LONGEST_KEY)


class Page(Input):
    limit: Count | None = None
    offset: Count = 0
