import WebFormats

/// A stream of events is read the same however it is cut, and after it is written and read again.
func checkEventStream(_ bytes: [UInt8]) throws(Broken) {
    let whole = try events(in: bytes, cutTo: max(bytes.count, 1))
    // The first byte says where else it is cut.
    for size in [1, Int(bytes.first ?? 0) % 16 + 2] {
        try require(try events(in: bytes, cutTo: size) == whole, "other events, cut to \(size) bytes")
    }
    var written = ""
    for event in whole {
        try require(!event.name.isEmpty, "an event without a name")
        if let id = event.id { written += "id: \(id)\n" }
        written += "event: \(event.name)\n"
        for line in event.data.utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
            written += "data: \(String(line) ?? "")\n"
        }
        written += "\n"
    }
    try require(try events(in: Array(written.utf8), cutTo: 7) == whole, "not read as it is written")

    // No more is kept than may be.
    var parser = EventStreamParser(byteLimit: 64)
    if let short = try? parser.events(in: bytes) {
        try require(short == whole, "other events under a limit")
        try require(short.allSatisfy { $0.data.utf8.count <= 3 * 64 }, "an event beyond the limit")
    }
}

private func events(in bytes: [UInt8], cutTo size: Int) throws(Broken) -> [EventStreamParser.Event] {
    var parser = EventStreamParser()
    var events: [EventStreamParser.Event] = []
    var rest = bytes[...]
    while !rest.isEmpty {
        do throws(EventStreamError) { events += try parser.events(in: rest.prefix(size)) } catch {
            throw Broken(description: "\(error)")
        }
        rest = rest.dropFirst(size)
    }
    try require(
        events.last.map { $0.id == nil || parser.lastEventID != nil } ?? true, "an identifier is lost")
    return events
}
