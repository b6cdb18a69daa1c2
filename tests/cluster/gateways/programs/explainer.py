"""An explainer: it asks the model, and says of each flower which number is its largest."""

import argparse

from kserve import Model, ModelServer, model_server


class Explainer(Model):
    def __init__(self, name):
        super().__init__(name)
        self.ready = True

    async def explain(self, payload, headers=None):
        answer = await self.predict(payload, headers)
        largest = [
            max(range(len(flower)), key=flower.__getitem__) for flower in payload["instances"]
        ]
        return {"explanations": largest, "predictions": answer["predictions"]}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(parents=[model_server.parser])
    arguments, _ = parser.parse_known_args()
    ModelServer().start([Explainer(arguments.model_name)])
