"""Drives an orchestrator with Bacalhau's own generated Python client, unchanged, and says what it saw as JSON.

Usage: python_apiclient.py ENDPOINT MODULE.wasm SLEEPER.wasm
"""

import base64
import json
import sys
import time

from bacalhau_apiclient import ApiClient, Configuration
from bacalhau_apiclient.api import ops_api, orchestrator_api
from bacalhau_apiclient.models.api_put_job_request import ApiPutJobRequest
from bacalhau_apiclient.models.input_source import InputSource
from bacalhau_apiclient.models.job import Job
from bacalhau_apiclient.models.spec_config import SpecConfig
from bacalhau_apiclient.models.task import Task
from bacalhau_apiclient.rest import ApiException

endpoint, module, sleeper = sys.argv[1:]
configuration = Configuration()
configuration.host = endpoint
client = ApiClient(configuration)
jobs, ops = orchestrator_api.OrchestratorApi(client), ops_api.OpsApi(client)


def job(name, path, parameters):
    with open(path, "rb") as file:
        url = "data:application/wasm;base64," + base64.b64encode(file.read()).decode()
    source = InputSource(source=SpecConfig(type="inline", params={"URL": url}), target="main.wasm")
    engine = SpecConfig(type="wasm", params={"EntryModule": "main.wasm", "Parameters": parameters})
    task = Task(name="main", engine=engine, publisher=SpecConfig(), input_sources=[source])
    return ApiPutJobRequest(job=Job(name=name, type="batch", count=1, tasks=[task], labels={"by": "python"}))


def wait(id, states):
    for _ in range(600):
        state = jobs.orchestratorget_job(id).job.state.state_type
        if state in states:
            return state
        time.sleep(0.1)
    return state


def refusal(call):
    try:
        call()
    except ApiException as refused:
        return {"status": refused.status, "message": json.loads(refused.body)["Message"]}


def raw(call):
    return json.loads(call(_preload_content=False).data)


saw = {}
put = jobs.orchestratorput_job(job("done", module, ["hello"]))
saw["ids"] = [put.job_id, put.evaluation_id]
saw["state"] = wait(put.job_id, ["Completed", "Failed"])
got = jobs.orchestratorget_job(put.job_id, include="executions,history", limit=10)
saw["described"] = {
    "name": got.job.name,
    "type": got.job.type,
    "count": got.job.count,
    "engine": got.job.tasks[0].engine.type,
    "labels": got.job.labels,
    "executions": len(got.executions.items),
    "history": [entry.event.topic for entry in got.history.items],
}
executions = jobs.orchestratorjob_executions(
    put.job_id, order_by="", namespace="", limit=5, next_token="", reverse=False
).items
saw["executions"] = [
    {
        "job": execution.job_id,
        "node": execution.node_id,
        "state": execution.compute_state.state_type,
        "stdout": execution.run_output.stdout,
        "stderr": execution.run_output.stderr,
        "exit": execution.run_output.exit_code,
    }
    for execution in executions
]
history = jobs.orchestratorjob_history(put.job_id, event_type="all", execution_id="", node_id="")
saw["history"] = [entry.event.message for entry in history.items]
saw["results"] = jobs.orchestratorjob_results(put.job_id).items
saw["again"] = refusal(lambda: jobs.orchestratorput_job(job("done", module, ["hello"])))
saw["nothing"] = refusal(lambda: jobs.orchestratorget_job("nothing"))
saw["wrong"] = refusal(lambda: jobs.orchestratorput_job(ApiPutJobRequest(job=Job(name="x", type="cron", tasks=[]))))
# A log takes a websocket, which this client does not speak; it is told so.
saw["logs"] = refusal(lambda: jobs.orchestratorlogs(put.job_id))

asleep = jobs.orchestratorput_job(job("asleep", sleeper, ["60000"])).job_id
wait(asleep, ["Running"])
saw["stopped"] = jobs.orchestratorstop_job(asleep, reason="enough of it").evaluation_id
state = jobs.orchestratorget_job(asleep).job.state
saw["stop"] = [state.state_type, state.message]

first = jobs.orchestratorlist_jobs(limit=1, next_token="", reverse=True, order_by="created_at", namespace="")
rest = jobs.orchestratorlist_jobs(limit=5, next_token=first.next_token, reverse=True, order_by="created_at", namespace="")
saw["listed"] = [job.name for job in first.items + rest.items]

# The client reads `nodes` where every server says `Nodes`: what came is looked at instead.
nodes = raw(lambda **how: jobs.orchestratorlist_nodes(limit=10, filter_approval="approved", filter_status="connected", **how))
saw["nodes"] = [node["Info"]["NodeID"] for node in nodes["Nodes"]]
saw["node"] = raw(lambda **how: jobs.orchestratorget_node("worker", **how))["Node"]["Connection"]
saw["rejected"] = raw(lambda **how: jobs.orchestratorlist_nodes(filter_approval="rejected", **how))["Nodes"]

saw["alive"] = ops.agentalive()
saw["version"] = ops.agentversion().git_version
node = ops.agentnode()
saw["agent"] = [node.node_type, node.node_id]
saw["debug"] = raw(ops.agentdebug)
print(json.dumps(saw))
