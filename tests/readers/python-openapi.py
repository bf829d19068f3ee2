"""Validates what the daemon says of its HTTP interface, and measures with a client made of it: python-openapi.py HOST:PORT.

The validator is openapi-spec-validator, the generator openapi-python-client; nothing here knows a path of the interface
but that of the document. The samples are read when the run is over.
"""

import csv
import importlib
import io
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import httpx
from openapi_spec_validator import OpenAPIV31SpecValidator, validate


def tell(**line):
    print(json.dumps(line), flush=True)


def generate(document, folder):
    """The modules of the client, below `client`."""
    (folder / "openapi.json").write_text(json.dumps(document))
    (folder / "config.yaml").write_text("package_name_override: client\npost_hooks: []\n")
    command = ["-m", "openapi_python_client", "generate", "--meta", "none", "--config", "config.yaml"]
    command += ["--path", "openapi.json", "--output-path", "client"]
    made = subprocess.run([sys.executable, *command], cwd=folder, check=True, capture_output=True, text=True)
    tell(generated=sorted(path.stem for path in (folder / "client/api").glob("*/*.py") if path.stem != "__init__"))
    tell(unsupported=[line for line in made.stdout.splitlines() if line.startswith(("WARNING", "ERROR"))])
    sys.path.insert(0, str(folder))


def call(operation, *names, **arguments):
    answer = importlib.import_module(f"client.api.{operation}").sync(*names, **arguments)
    return answer if isinstance(answer, str) else answer.to_dict()


def measure(address):
    models = importlib.import_module("client.models")
    client = importlib.import_module("client").Client(base_url=f"http://{address}/v1", timeout=httpx.Timeout(120))
    plan = models.StartForm(channels="1-3", purge="6s", measure="20s", operator="ada", label="generated")
    checked = call("control.check_plan", client=client, body=plan)
    tell(errors=checked["errors"], estimate_s=checked["estimate_s"])
    wrong = call("control.start_run", client=client, body=models.StartForm(channels="99"))
    tell(refused=wrong["error"], field=wrong["errors"][0]["field"])
    run = call("control.start_run", client=client, body=plan)["run_id"]
    tell(started=run)
    while call("runs.get_run", run, client=client)["run"]["outcome"] is None:
        time.sleep(0.2)
    detail = call("runs.get_run", run, client=client)
    tell(outcome=detail["run"]["outcome"], visits=len(detail["visits"]), records=detail["run"]["records"])
    rows = list(csv.DictReader(io.StringIO(call("runs.get_samples", run, client=client))))
    tell(samples=[{"channel": row["channel"], "co2_ppm": row["co2_ppm"]} for row in rows])


def main(address):
    document = httpx.get(f"http://{address}/openapi.json").raise_for_status().json()
    validate(document, cls=OpenAPIV31SpecValidator)
    tell(valid=document["openapi"], operations=sum(len(methods) for methods in document["paths"].values()))
    with tempfile.TemporaryDirectory() as folder:
        generate(document, Path(folder))
        measure(address)


main(sys.argv[1])
