"""Drives an orchestrator with Bacalhau's own Python SDK, unchanged, and says what it saw as JSON.

Usage: python_sdk.py MODULE.wasm, with BACALHAU_API_HOST, BACALHAU_API_PORT and BACALHAU_DIR set.
"""

import base64
import json
import sys
import time

from bacalhau_apiclient.models.api_put_job_request import ApiPutJobRequest
from bacalhau_apiclient.models.input_source import InputSource
from bacalhau_apiclient.models.job import Job
from bacalhau_apiclient.models.spec_config import SpecConfig
from bacalhau_apiclient.models.task import Task
from bacalhau_sdk.jobs import Jobs

with open(sys.argv[1], "rb") as file:
    url = "data:application/wasm;base64," + base64.b64encode(file.read()).decode()
task = Task(
    name="main",
    engine=SpecConfig(type="wasm", params={"EntryModule": "main.wasm", "Parameters": []}),
    publisher=SpecConfig(),
    input_sources=[InputSource(source=SpecConfig(type="inline", params={"URL": url}), target="main.wasm")],
)
jobs = Jobs()
job = jobs.put(ApiPutJobRequest(job=Job(name="from-python", type="batch", count=1, tasks=[task]))).job_id
for _ in range(600):
    got = jobs.get(job_id=job, include="executions,history", limit=10).job
    if got.state.state_type in ("Completed", "Failed", "Stopped"):
        break
    time.sleep(0.1)
executions = jobs.executions(job_id=job, namespace="", next_token="", limit=5, reverse=False, order_by="").items
print(
    json.dumps(
        {
            "name": got.name,
            "state": got.state.state_type,
            "listed": [job.name for job in jobs.list(limit=5, next_token="", order_by="created_at", reverse=False).items],
            "stdout": [execution.run_output.stdout for execution in executions],
            "history": len(jobs.history(job_id=job, event_type="", node_id="", execution_id="").items),
            "results": jobs.results(job_id=job).items,
        }
    )
)
