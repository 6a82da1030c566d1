# Everything a contributor runs. Nothing here is needed to use Shopkeeper.

# what there is
default:
    @just --list

# build the sample shop, print its report, serve its pages
demo *options:
    uv run shopkeeper demo {{ options }}

# all tests, or some: just test tests/know -k late
test *options:
    uv run pytest {{ options }}

# lint, format, types, import contracts
check:
    uv run ruff check
    uv run ruff format --check
    uv run mypy
    uv run lint-imports --no-logo

# put right what a machine can
fix:
    uv run ruff check --fix
    uv run ruff format

# write docs/reference from the code
reference:
    uv run python tools/reference.py

# resolve anew and pin what was resolved; run the tests before committing it
pin:
    uv run --no-sync python tools/pin.py
    uv sync

# one of benchmarks/: just bench value
bench which *options:
    uv run python benchmarks/{{ which }}.py {{ options }}

# what continuous integration runs
ci:
    .ci/run
