"""Calls an Almanac server from Python, with nothing but docs/WIRE.md, pyzmq and protobuf.

    client.py ADDRESS ECHO_DESCRIPTORS

ECHO_DESCRIPTORS is the descriptor set of the conformance suite's service. What every server has
comes from its own Reflection. Prints what it did; fails with the first thing that is not as told.
"""

import random
import struct
import sys
import time

import zmq
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

(HELLO, REQUEST, MESSAGE, END, CANCEL, CREDIT, PING, PONG, GOAWAY, RESET, FINISH,
 SERVING) = range(1, 13)
LAST = 2
NO_DEADLINE = 0xFFFFFFFF
WINDOW_BYTES, WINDOW_MESSAGES = 65536, 100
HEADER = struct.Struct("<IBBHQII")
CODES = {0: "OK", 1: "CANCELLED", 4: "DEADLINE_EXCEEDED", 5: "NOT_FOUND", 12: "UNIMPLEMENTED"}


class Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, form):
        value = struct.unpack_from("<" + form, self.data, self.at)[0]
        self.at += struct.calcsize("<" + form)
        return value

    def text(self):
        length = self.take("B")
        self.at += length
        return self.data[self.at - length : self.at].decode()


class Connection:
    """One DEALER and the calls on it."""

    def __init__(self, context, address):
        self.socket = context.socket(zmq.DEALER)
        self.socket.linger = 0
        self.socket.rcvtimeo = 10000
        self.socket.connect(address)
        self.records = []
        self.sent = self.received = 0
        self.slot, self.generation = 0, random.getrandbits(31)
        windows = struct.pack("<II", WINDOW_BYTES, WINDOW_MESSAGES)
        hello = b"ALM1" + struct.pack("<HII", 2, 4 << 20, 500) + windows + struct.pack("<IH", 0, 0)
        self.send(HELLO, payload=hello)
        kind, _, _, _, _, _, payload = self.next()
        assert kind == HELLO, kind
        self.read_hello(payload)

    def read_hello(self, payload):
        r = Reader(payload)
        assert payload[:4] == b"ALM1"
        r.at = 4
        assert r.take("H") == 2
        self.message_max, self.heartbeat_ms = r.take("I"), r.take("I")
        self.window_bytes, self.window_messages = r.take("I"), r.take("I")
        self.stream_count = r.take("I")
        self.methods = {}
        for _ in range(r.take("H")):
            service, _checksum, serving = r.text(), r.take("Q"), r.take("B")
            assert serving & 1
            for _ in range(r.take("H")):
                name = r.text()
                self.methods[service + "." + name] = (len(self.methods), r.take("B"))
        assert r.at == len(payload), "all of HELLO is understood"

    def send(self, kind, call=0, argument=0, time_ms=0, metadata=b"", payload=b"", flags=0):
        length = HEADER.size + len(metadata) + len(payload)
        head = HEADER.pack(length, kind, flags, len(metadata), call, argument, time_ms)
        self.socket.send(head + metadata + payload)
        self.sent += 1

    def next(self):
        """The next record that is not the connection's own business."""
        while True:
            while not self.records:
                frame = self.socket.recv()
                while frame:
                    length = struct.unpack_from("<I", frame)[0]
                    self.records.append(frame[:length])
                    frame = frame[length:]
            record = self.records.pop(0)
            _, kind, flags, metadata_length, call, argument, time_ms = HEADER.unpack_from(record)
            self.received += 1
            body = record[HEADER.size :]
            if kind == PING:
                assert argument == self.received - 1, "the server counts as we do"
                self.send(PONG, call)
            elif kind not in (PONG, SERVING):
                metadata, payload = body[:metadata_length], body[metadata_length:]
                return kind, flags, call, argument, time_ms, metadata, payload

    def start(self, method, request=b"", timeout_ms=NO_DEADLINE, metadata=b""):
        self.generation = self.generation % 0x7FFFFFFF + 1
        call = self.generation << 32 | self.slot
        self.send(REQUEST, call, self.methods[method][0], timeout_ms, metadata, request)
        return call


class Failure(Exception):
    def __init__(self, code, field, text):
        super().__init__(f"{code} {field} {text}")
        self.code, self.field = code, field


def metadata_of(entries):
    return b"".join(struct.pack("B", len(key)) + key.encode() + struct.pack("<H", len(value)) +
                    value.encode() for key, value in entries.items())


def metadata_field(metadata):
    r = Reader(metadata)
    while r.at < len(metadata):
        key, length = r.text(), r.take("H")
        value = metadata[r.at : r.at + length]
        r.at += length
        if key == "field":
            return value.decode()
    return ""


def messages_of(connection, call):
    """The messages of a call until its end, giving back credit as they are read."""
    count = owed_bytes = owed_messages = 0
    while True:
        kind, flags, its, argument, time_ms, metadata, payload = connection.next()
        if its != call:
            continue
        if kind == MESSAGE:
            assert argument == count, (argument, count)
            count += 1
            owed_bytes += HEADER.size + len(payload)
            owed_messages += 1
            if owed_bytes > WINDOW_BYTES // 2 or owed_messages > WINDOW_MESSAGES // 2:
                connection.send(CREDIT, call, owed_bytes, owed_messages)
                owed_bytes = owed_messages = 0
            yield payload
        elif kind == END:
            if argument != 0:
                raise Failure(argument, metadata_field(metadata), payload.decode())
            if flags & LAST:
                count += 1
                yield payload
            assert time_ms == count, "nothing is missing"
            return
        else:
            raise AssertionError(f"a record of type {kind}")


def types_of(data):
    files = descriptor_pb2.FileDescriptorSet.FromString(data)
    pool = descriptor_pool.DescriptorPool()
    for file in files.file:
        pool.Add(file)
    return lambda name: message_factory.MessageFactory(pool).GetPrototype(
        pool.FindMessageTypeByName(name))


def one(connection, method, request, response_type, timeout_ms=NO_DEADLINE, metadata=b""):
    call = connection.start(method, request.SerializeToString(), timeout_ms, metadata)
    answers = list(messages_of(connection, call))
    assert len(answers) == 1
    return response_type.FromString(answers[0])


def what_every_server_has(connection):
    call = connection.start("almanac.internal.Health.Check")
    assert list(messages_of(connection, call)) == [b"\x08\x01"]
    call = connection.start("almanac.internal.Reflection.FileDescriptors")
    (answer,) = messages_of(connection, call)
    r = Reader(answer)  # one field of bytes: the descriptors tell the rest
    assert r.take("B") == 0x0A
    length = shift = 0
    while True:
        byte = r.take("B")
        length |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            break
    assert r.at + length == len(answer)
    get = types_of(answer[r.at :])
    listed = one(connection, "almanac.internal.Reflection.ListServices",
                 get("almanac.internal.ListServicesRequest")(),
                 get("almanac.internal.ListServicesResponse"))
    names = {s.name + "." + m.name for s in listed.services for m in s.methods}
    assert names == set(connection.methods), "HELLO and Reflection agree"
    stats = one(connection, "almanac.internal.Stats.Get", get("almanac.internal.StatsRequest")(),
                get("almanac.internal.StatsResponse"))
    started = {m.method: m.started for m in stats.methods if m.service.endswith("Health")}
    assert started["Check"] >= 1, started
    print("health, reflection and statistics: ok")


def calls(connection, get):
    say, said = get("almanac.test.SayRequest"), get("almanac.test.SayResponse")
    request = say(text="上海市长宁区", number=310105)
    reply = one(connection, "almanac.test.Echo.Say", request, said)
    assert reply.text == "上海市长宁区" and reply.number == 310105
    trace = {"traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"}
    for entries, request_id in ((trace, "a3ce929d0e0e4736"), (trace | {"request-id": "r-17"}, "r-17")):
        reply = one(connection, "almanac.test.Echo.Say", request, said,
                    metadata=metadata_of(entries))
        assert reply.request_id == request_id, reply.request_id
        wait = get("almanac.test.WaitRequest")(wait_ms=1)
        reply = one(connection, "almanac.test.Echo.Relay", wait, get("almanac.test.WaitResponse"),
                    metadata=metadata_of(entries))
        assert reply.request_id == request_id, "the next server's: " + reply.request_id
    fail = get("almanac.test.FailRequest")(code=5, message="no such place", field="place")
    try:
        one(connection, "almanac.test.Echo.Fail", fail, said)
        raise AssertionError("it should have failed")
    except Failure as failure:
        assert (failure.code, failure.field) == (5, "place"), failure
    try:
        one(connection, "almanac.test.Echo.Wait", get("almanac.test.WaitRequest")(), said, 50)
        raise AssertionError("its time should have passed")
    except Failure as failure:
        assert failure.code == 4, failure
    print("unary calls: ok")


def streams(connection, get):
    count, number = get("almanac.test.CountRequest"), get("almanac.test.CountResponse")
    request = count(count=5000, padding=100).SerializeToString()
    call = connection.start("almanac.test.Echo.Count", request)
    got = [number.FromString(m).number for m in messages_of(connection, call)]
    assert got == list(range(5000)), len(got)
    call = connection.start("almanac.test.Echo.Sum")
    for n in range(200):  # within the windows the server gave
        connection.send(MESSAGE, call, n, payload=number(number=n).SerializeToString())
    connection.send(FINISH, call, 200)
    (answer,) = messages_of(connection, call)
    assert get("almanac.test.SayResponse").FromString(answer).number == 19900
    call = connection.start("almanac.test.Echo.Chat")
    for n in range(50):
        connection.send(MESSAGE, call, n, payload=number(number=n).SerializeToString())
    connection.send(FINISH, call, 50)
    got = [number.FromString(m).number for m in messages_of(connection, call)]
    assert got == [2 * n for n in range(50)]
    request = count(count=3, padding=10).SerializeToString()
    call = connection.start("almanac.test.Echo.Endless", request)
    stream = messages_of(connection, call)
    next(stream)
    connection.send(CANCEL, call)
    try:
        for _ in stream:
            pass
        raise AssertionError("it should have been cancelled")
    except Failure as failure:
        assert failure.code == 1, failure
    print("streams, both ways: ok")


def liars_are_alone_with_it(context, address):
    liar = Connection(context, address)
    liar.send(PING, 7, liar.sent + 5)
    kind = liar.next()[0]
    assert kind == RESET, kind
    print("a wrong count ends the connection: ok")


def main():
    address, echo_file = sys.argv[1:]
    with open(echo_file, "rb") as file:
        get = types_of(file.read())
    context = zmq.Context()
    connection = Connection(context, address)
    what_every_server_has(connection)
    calls(connection, get)
    streams(connection, get)
    liars_are_alone_with_it(context, address)
    time.sleep(1.2)  # heartbeats pass both ways meanwhile
    connection.send(PING, 9, connection.sent)
    calls(connection, get)
    connection.send(GOAWAY)
    connection.socket.close(100)
    context.term()


main()
