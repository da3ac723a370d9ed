import Testing
import WebFormats

@Suite("Streams of events")
struct EventStreamParserTests {
    private typealias Event = EventStreamParser.Event

    private func events(_ text: String, cutTo size: Int = 1000) throws -> [Event] {
        var parser = EventStreamParser()
        var events: [Event] = []
        var bytes = Array(text.utf8)[...]
        while !bytes.isEmpty {
            events += try parser.events(in: bytes.prefix(size))
            bytes = bytes.dropFirst(size)
        }
        return events
    }

    @Test("A stream is read however it is cut", arguments: [1, 2, 3, 7, 1000])
    func cut(_ size: Int) throws {
        let text = """
            retry: 2000\n\nid: 7\nevent: step\ndata: {"a":\ndata: 1}\n\n: \n
            event: done\r\ndata: x\r\n\r\nid:8\rdata:y\r\rdata: not ended
            """
        let told = try events(text, cutTo: size)
        #expect(
            told == [
                Event(id: "7", name: "step", data: "{\"a\":\n1}"), Event(id: "7", name: "done", data: "x"),
                Event(id: "8", name: "message", data: "y"),
            ])
    }

    @Test("The standard's own examples are read as it says")
    func standard() throws {
        #expect(
            try events("data: YHOO\ndata: +2\ndata: 10\n\n") == [
                Event(name: "message", data: "YHOO\n+2\n10")
            ])
        #expect(
            try events(
                ": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third\n\n")
                == [
                    Event(id: "1", name: "message", data: "first event"),
                    Event(id: "", name: "message", data: "second event"),
                    Event(id: "", name: "message", data: " third"),
                ])
        #expect(
            try events("data\n\ndata\ndata\n\ndata:") == [
                Event(name: "message", data: ""), Event(name: "message", data: "\n"),
            ])
        #expect(
            try events("data:test\n\ndata: test\n\n") == [
                Event(name: "message", data: "test"), Event(name: "message", data: "test"),
            ])
        // A mark of the byte order is at the start alone; an identifier has no zero in it; no data, no event.
        #expect(
            try events("\u{FEFF}data: a\nid: 1\nid: \u{0}\n\nevent: b\n\n\u{FEFF}data: c\n\n") == [
                Event(id: "1", name: "message", data: "a")
            ])
    }

    @Test("The last identifier is known where no event came with it")
    func lastIdentifier() throws {
        var parser = EventStreamParser()
        #expect(try parser.events(in: "id: 5\n".utf8).isEmpty && parser.lastEventID == nil)
        #expect(try parser.events(in: "\n".utf8).isEmpty && parser.lastEventID == "5")
    }

    @Test("An event without end is not kept without end")
    func long() throws {
        var parser = EventStreamParser(byteLimit: 100)
        let line = "data: " + String(repeating: "x", count: 44) + "\n"
        #expect(try parser.events(in: (line + line + "\n" + line).utf8).count == 1)
        #expect(throws: EventStreamError.longEvent(limit: 100)) {
            _ = try parser.events(in: (line + "x").utf8)
        }
        var one = EventStreamParser(byteLimit: 100)
        #expect(throws: EventStreamError.longEvent(limit: 100)) {
            for _ in 0...100 { _ = try one.events(in: "x".utf8) }
        }
    }
}
