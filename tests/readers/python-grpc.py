"""Controls a run with Python's grpcio, by what the server tells of itself: python-grpc.py HOST:PORT.

No file of the contract is at hand: services, calls and messages all come from reflection.
"""

import json
import sys

import grpc
from google.protobuf import json_format, message_factory
from google.protobuf.descriptor_pool import DescriptorPool
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

SERVICE = "gasera.v1.GaseraService"


def tell(**line):
    print(json.dumps(line), flush=True)


class Client:
    def __init__(self, channel):
        database = ProtoReflectionDescriptorDatabase(channel)
        tell(services=sorted(database.get_services()))
        self.channel = channel
        self.pool = DescriptorPool(database)
        self.service = self.pool.FindServiceByName(SERVICE)
        tell(calls=sorted(method.name for method in self.service.methods))

    def call(self, name, service=None, **request):
        service = service or self.service
        method = service.methods_by_name[name]
        question = message_factory.GetMessageClass(method.input_type)
        answer = message_factory.GetMessageClass(method.output_type)
        path = f"/{service.full_name}/{name}"
        call = self.channel.unary_unary(path, question.SerializeToString, answer.FromString)
        message = json_format.ParseDict(request, question())
        try:
            return json_format.MessageToDict(call(message, timeout=120), preserving_proto_field_name=True)
        except grpc.RpcError as error:
            return {"code": error.code().name, "details": error.details()}


with grpc.insecure_channel(sys.argv[1]) as channel:
    client = Client(channel)
    health = client.pool.FindServiceByName("grpc.health.v1.Health")
    tell(health=client.call("Check", service=health))
    tell(before=json.loads(client.call("GetStatus")["status_json"]))
    plan = {"channels": "1-2", "repeats": 50}
    tell(started=client.call("StartMeasurement", plan=plan))
    tell(again=client.call("StartMeasurement", plan=plan))
    tell(meanwhile=json.loads(client.call("GetStatus")["status_json"]))
    tell(aborted=client.call("AbortMeasurement", operator="grpcio"))
    tell(after=json.loads(client.call("GetStatus")["status_json"]))
    tell(calls_off=client.call("AbortMeasurement"))
