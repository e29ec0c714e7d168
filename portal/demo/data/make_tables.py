"""Write the invented tables of the sample catalogue: `python -m portal.demo.data.make_tables`.

Same seed, same bytes. Header and order of the columns are those of the entry's items in
entries.jsonl; the files made from real data (files/SOURCE.md) are left alone.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from random import Random
from typing import Any

from .generators import economy, living, nature, people, transport
from .generators.places import Row
from .table_files import Column, write_table

HERE = Path(__file__).parent
SEED = "xiangyun-demo-1"
GAP_RATES = (0.0, 0.01, 0.02, 0.03, 0.05)
NEVER_BLANK = frozenset({"boolean"})

GENERATORS: dict[str, Callable[[Random], Iterator[Row]]] = {
    "agr-moisture": nature.soil_moisture,
    "ahb-slaughter": economy.slaughterhouses,
    "arc-catalogue": nature.archive_catalogue,
    "cbs-visitors": nature.mountain_visitors,
    "com-markets": economy.markets,
    "cre-permits": economy.double_publicity,
    "dru-pharmacies": people.pharmacies,
    "edu-kindergartens": people.kindergartens,
    "edu-schools": people.schools,
    "edu-venues": people.venues,
    "ene-charging": transport.charging_stations,
    "ene-charging-live": transport.connectors,
    "env-air-daily": nature.air_daily,
    "env-air-hourly": nature.air_hourly,
    "env-noise": nature.noise,
    "env-rivers": nature.river_quality,
    "fin-budget": economy.budget_execution,
    "gra-prices": economy.grain_prices,
    "hea-beds": people.hospital_beds,
    "hea-institutions": people.institutions,
    "hou-rentals": economy.rental_projects,
    "hou-sales": economy.new_home_sales,
    "hou-toilets": living.toilets,
    "leg-services": people.service_offices,
    "liv-heating": living.heating_complaints,
    "liv-outages": living.outages,
    "liv-substations": living.heat_substations,
    "liv-tapwater": living.tap_water,
    "met-daily": nature.weather_daily,
    "met-warnings": nature.warnings,
    "mkt-entities": economy.companies,
    "mkt-food": economy.food_inspections,
    "mkt-registrations": economy.registrations,
    "org-social": economy.social_organisations,
    "oth-hotline": living.hotline,
    "pos-outlets": living.parcel_outlets,
    "rel-allowances": people.allowances,
    "rel-elderly": people.elderly_homes,
    "saf-shelters": people.shelters,
    "sci-instruments": economy.instruments,
    "soc-jobs": people.vacancies,
    "soc-stations": people.employment_stations,
    "sta-counties": economy.county_indicators,
    "tra-bus-arrival": transport.bus_arrivals,
    "tra-bus-stops": transport.bus_stops,
    "tra-coach": transport.coaches,
    "tra-freight": transport.freight_index,
    "tra-parking": transport.parking,
    "tra-roadworks": transport.roadworks,
    "tra-tolls": transport.former_tolls,
    "wrk-penalties": economy.penalties,
    "yb-attractions": people.attractions,
}


def read_entries() -> list[dict[str, Any]]:
    with (HERE / "entries.jsonl").open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def make_rows(entry: dict[str, Any]) -> tuple[list[Column], list[Row]]:
    """Return the columns and rows of an invented entry, with the gaps real tables have."""
    r = Random(f"{SEED}/{entry['key']}")
    columns = [Column.from_item(item) for item in entry["items"]]
    rows = list(GENERATORS[entry["key"]](r))
    names = {column.field_name for column in columns}
    for number, row in enumerate(rows, 1):
        if set(row) != names:
            raise ValueError(f"{entry['key']} row {number}: {sorted(set(row) ^ names)}")
    _leave_gaps(r, entry, columns, rows)
    return columns, rows


def _leave_gaps(r: Random, entry: dict[str, Any], columns: list[Column], rows: list[Row]) -> None:
    """Blank up to one value in twenty of each nullable column; coordinates go together."""
    is_map = "geojson" in entry["format"]
    located = {"longitude", "latitude"}
    for column in columns:
        if not column.nullable or column.data_type in NEVER_BLANK:
            continue
        if column.field_name == "latitude" or (is_map and column.field_name in located):
            continue
        together = located if column.field_name == "longitude" else {column.field_name}
        rate = r.choice(GAP_RATES)
        for row in rows:
            if r.random() < rate:
                row.update(dict.fromkeys(together))


def main(arguments: Sequence[str]) -> None:
    folder = Path(arguments[0]) if arguments else HERE / "files"
    for entry in read_entries():
        if entry["key"] in GENERATORS:
            columns, rows = make_rows(entry)
            for file in entry["files"]:
                path = folder / file["file"]
                path.parent.mkdir(parents=True, exist_ok=True)
                write_table(path, entry["title"], columns, rows)
                print(f"{file['file']}: {len(rows)} rows, {path.stat().st_size} bytes")


if __name__ == "__main__":
    main(sys.argv[1:])
