"""Programs that call an interface, made from its OpenAPI document and from nothing else."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

SECRET_VARIABLE = "XY_SECRET"
SHOWN_FIELDS = 3


@dataclass(frozen=True)
class Sample:
    language: str  # as people call it
    code: str


@dataclass(frozen=True)
class Described:
    """What of the document the programs need: one paged GET with a bearer credential."""

    address: str
    list_name: str
    next_name: str
    fields: tuple[str, ...]


def samples_of(document: Mapping[str, Any], operation: str = "rows") -> list[Sample]:
    """Return the same program in four languages. Raises KeyError if there is no such operation."""
    found = _read(document, operation)
    return [
        Sample("curl", _curl(found)),
        Sample("Python", _python(found)),
        Sample("JavaScript", _javascript(found)),
        Sample("Java", _java(found)),
    ]


def _read(document: Mapping[str, Any], operation: str) -> Described:
    path, get = next(
        (path, methods["get"])
        for path, methods in document["paths"].items()
        if methods.get("get", {}).get("operationId") == operation
    )
    answer = get["responses"]["200"]["content"]["application/json"]["schema"]
    properties = _schema(document, answer)["properties"]
    lists = [name for name, one in properties.items() if "$ref" in one.get("items", {})]
    links = [name for name, one in properties.items() if one.get("format") == "uri"]
    row = _schema(document, properties[lists[0]]["items"])
    fields = tuple(row["properties"])[:SHOWN_FIELDS]
    server = document["servers"][0]["url"]
    query = _query(get)
    address = f"{server}{path}?{query}" if query else f"{server}{path}"
    return Described(address, lists[0], links[0], fields)


def _schema(document: Mapping[str, Any], schema: Mapping[str, Any]) -> Mapping[str, Any]:
    found: Mapping[str, Any] = document["components"]["schemas"][schema["$ref"].split("/")[-1]]
    return found


def _query(get: Mapping[str, Any]) -> str:
    """Return what a first call sends: how many rows, and what the document requires."""
    sent = {
        one["name"]: one["schema"].get("default", "VALUE")
        for one in get["parameters"]
        if one.get("required") or (one["name"] == "limit" and "default" in one["schema"])
    }
    return urlencode(sent)


def _curl(found: Described) -> str:
    return f'curl -H "Authorization: Bearer ${SECRET_VARIABLE}" \\\n  "{found.address}"'


def _python(found: Described) -> str:
    shown = ", ".join(f"row[{json.dumps(name)}]" for name in found.fields)
    return f"""import json
import os
from urllib.request import Request, urlopen

address = "{found.address}"
headers = {{"Authorization": "Bearer " + os.environ["{SECRET_VARIABLE}"]}}
while address:
    with urlopen(Request(address, headers=headers)) as answer:
        page = json.load(answer)
    for row in page["{found.list_name}"]:
        print({shown})
    address = page["{found.next_name}"]"""


def _javascript(found: Described) -> str:
    shown = ", ".join(f"row.{name}" for name in found.fields)
    return f"""let address = "{found.address}";
const headers = {{ Authorization: `Bearer ${{process.env.{SECRET_VARIABLE}}}` }};
while (address) {{
  const answer = await fetch(address, {{ headers }});
  if (!answer.ok) throw new Error(`${{answer.status}} ${{await answer.text()}}`);
  const page = await answer.json();
  for (const row of page.{found.list_name}) console.log({shown});
  address = page.{found.next_name};
}}"""


def _java(found: Described) -> str:
    return f"""import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;

public class Main {{
    public static void main(String[] arguments) throws Exception {{
        var request = HttpRequest.newBuilder(URI.create("{found.address}"))
            .header("Authorization", "Bearer " + System.getenv("{SECRET_VARIABLE}")).build();
        var answer = HttpClient.newHttpClient().send(request, BodyHandlers.ofString());
        System.out.println(answer.statusCode() + " " + answer.body());
    }}
}}"""
