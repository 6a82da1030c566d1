# /// script
# requires-python = ">=3.11"
# dependencies = [
#     "numpy==2.4.6",
#     "pandas==3.1.1",
#     "pseudopeople==1.3.1",
#     "pyarrow==26.0.1",
#     "vivarium-engine==5.19.1",
# ]
# ///
"""Two censuses of the sample that pseudopeople ships, ten years apart, as records about people with the truth.

    uv run --isolated --script benchmarks/pseudopeople_sample.py FILE

pseudopeople (BSD licence) simulates households and writes them into forms as people, clerks and scanners do: typing
errors, nicknames, wrong days, values of another member of the household, children reported at two addresses. Its
packages are not ours: this runs in an environment of its own, and ``sample`` keeps what it wrote in
``SHOPKEEPER_BENCHMARKS`` (or ~/.cache/shopkeeper-benchmarks). Noise is the default, the seed is the year. In the sample
everybody lives in Anytown, WA 00000: city, state and post code say nothing; there is no e-mail and no telephone.
Nobody who links is told that hardly anybody is twice in one census, which would spare many a household.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

YEARS = (2020, 2030)
_LONGEST_S = 300
_SAME = ("first_name", "last_name", "city", "state", "simulant_id")
_OTHER = {"postcode": "zipcode", "gender": "sex"}


def sample() -> Path:
    """The kept file of records, made where it is missing; RuntimeError says in one line why it cannot be."""
    given = os.environ.get("SHOPKEEPER_BENCHMARKS")
    folder = Path(given) if given else Path.home() / ".cache" / "shopkeeper-benchmarks"
    folder.mkdir(parents=True, exist_ok=True)
    file = folder.resolve() / f"pseudopeople-1.3.1-census-{'-'.join(map(str, YEARS))}.parquet"
    if not file.exists():
        half = file.with_suffix(".part")
        asked = ["uv", "run", "--isolated", "--script", str(Path(__file__).resolve()), str(half)]
        try:
            subprocess.run(
                asked, cwd=folder, check=True, capture_output=True, text=True, timeout=_LONGEST_S
            )  # elsewhere than in the project, so that its pins do not hold
        except subprocess.CalledProcessError as failed:
            told = failed.stderr.strip().splitlines() or [f"exit status {failed.returncode}"]
            raise RuntimeError(told[-1].strip(" ╰─▶")) from failed
        except (OSError, subprocess.TimeoutExpired) as failed:
            raise RuntimeError(str(failed)) from failed
        half.rename(file)
    return file


def census(year: int) -> object:
    """The noised census of a year in the columns of ``person.SCHEMA``, and ``simulant_id``."""
    import pyarrow as pa
    import pyarrow.compute as pc
    from pseudopeople import generate_decennial_census

    frame = generate_decennial_census(seed=year, year=year)
    table = pa.Table.from_pandas(frame, preserve_index=False)

    def text(column: str) -> pa.ChunkedArray:
        return table[column].cast(pa.string())

    parts = [pc.fill_null(text(part), "") for part in ("street_number", "street_name", "unit_number")]
    street = pc.replace_substring_regex(pc.binary_join_element_wise(*parts, " "), " +", " ")
    columns = {
        "id": pa.array([f"{year}-{row}" for row in range(len(table))]),
        "birthday": pc.replace_substring_regex(
            text("date_of_birth"), r"^([^/]*)/([^/]*)/([^/]*)$", r"\3-\1-\2"
        ),
        "street": pc.utf8_trim_whitespace(street),
        **{name: text(name) for name in _SAME},
        **{ours: text(theirs) for ours, theirs in _OTHER.items()},
    }
    return pa.table(columns)


def main() -> None:
    """Write the records of all years to the file that was named."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.concat_tables([census(year) for year in YEARS]), sys.argv[1])


if __name__ == "__main__":
    main()
