"""Questions to a model by gRPC, the open inference protocol, with the client of KServe's own SDK."""

from __future__ import annotations

import json
from typing import Any

from generator import process
from tests.cluster.harness import modelserver

# Its channel goes to an address; the name that a gateway routes by is the authority of the request.
_ASK = """
import asyncio, json, sys
import numpy
from grpc.aio import AioRpcError
from kserve import InferInput, InferRequest, InferenceGRPCClient

async def ask(address, host, model, rows):
    tensor = InferInput("input-0", [len(rows), len(rows[0])], "FP32")
    tensor.set_data_from_numpy(numpy.array(rows, "float32"), binary_data=False)
    request = InferRequest(model, [tensor])
    options = [("grpc.default_authority", host), ("grpc.enable_http_proxy", 0)]
    client = InferenceGRPCClient(f"{address}:80", channel_args=options, timeout=30, retries=0)
    async with client:
        try:
            (output,) = (await client.infer(request)).outputs
        except AioRpcError as error:
            return {"code": error.code().name}
    return {"data": output.as_numpy().tolist()}

print(json.dumps(asyncio.run(ask(*json.load(sys.stdin)))))
"""


def ask(address: str, host: str, model: str, rows: list[list[float]]) -> dict[str, Any]:
    """`data`, the numbers of the one output for some rows, or `code`, the status that was no OK.

    The request is without TLS, to port 80 of `address`, as if the name `host` led there.
    """
    argv = [str(modelserver.python()), "-c", _ASK]
    answer = process.run(argv, stdin=json.dumps([address, host, model, rows]), timeout=60)
    found: dict[str, Any] = json.loads(answer.splitlines()[-1])
    return found
