"""A transformer: flowers come in millimetres, the model knows centimetres. DELAY it takes, in s.

With SPECIES, names joined by commas, the classes go out as names.
"""

import argparse
import asyncio
import os

from kserve import Model, ModelServer, model_server


class Transformer(Model):
    def __init__(self, name):
        super().__init__(name)
        self.ready = True

    async def preprocess(self, payload, headers=None):  # noqa: ARG002
        await asyncio.sleep(float(os.environ.get("DELAY", "0")))
        return {"instances": [[each / 10 for each in flower] for flower in payload["instances"]]}

    async def postprocess(self, result, headers=None, response_headers=None):  # noqa: ARG002
        names = os.environ.get("SPECIES")
        if not names:
            return result
        return {"predictions": [names.split(",")[each] for each in result["predictions"]]}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(parents=[model_server.parser])
    arguments, _ = parser.parse_known_args()
    ModelServer().start([Transformer(arguments.model_name)])
