"""Questions to a model by gRPC, the open inference protocol, with the client of KServe's own SDK."""

from __future__ import annotations

import json
from typing import Any

from generator import process
from tests.cluster.harness import modelserver

# Its channel goes to an address; the name that a gateway routes by is the authority of the request.
_ASK = """
import asyncio, json, sys, time
import numpy
from grpc.aio import AioRpcError
from kserve import InferInput, InferRequest, InferenceGRPCClient

async def ask(address, host, model, rows):
    tensor = InferInput("input-0", [len(rows), len(rows[0])], "FP32")
    tensor.set_data_from_numpy(numpy.array(rows, "float32"), binary_data=False)
    options = [("grpc.default_authority", host), ("grpc.enable_http_proxy", 0)]
    client = InferenceGRPCClient(f"{address}:80", channel_args=options, timeout=30, retries=0)
    (output,) = (await client.infer(InferRequest(model, [tensor]))).outputs
    return output.as_numpy().tolist()

async def patiently(*arguments):
    deadline = time.monotonic() + 60
    while True:
        try:
            return await ask(*arguments)
        except AioRpcError as error:
            early = error.code().name in ("UNAVAILABLE", "UNIMPLEMENTED")
            if not early or time.monotonic() > deadline:
                raise
        await asyncio.sleep(0.5)

print(json.dumps(asyncio.run(patiently(*json.load(sys.stdin)))))
"""


def ask(address: str, host: str, model: str, rows: list[list[float]]) -> list[Any]:
    """The numbers of the one output for some rows, once the gateway knows the route.

    The request is without TLS, to port 80 of `address`, as if the name `host` led there. Raises
    ToolFailed with the status, where that is not OK.
    """
    argv = [str(modelserver.python()), "-c", _ASK]
    # To import the client takes a minute on a busy machine.
    answer = process.run(argv, stdin=json.dumps([address, host, model, rows]), timeout=300)
    found: list[Any] = json.loads(answer.splitlines()[-1])
    return found
