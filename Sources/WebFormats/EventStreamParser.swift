/// Reads a stream of events as it comes (HTML, section 9.2, "Server-sent events").
package struct EventStreamParser: Sendable {
    package struct Event: Sendable, Hashable {
        /// The last identifier that the stream has given by then; nil before the first.
        package var id: String?
        /// `message` where the stream gives none.
        package var name: String
        /// Its lines, with a line feed between two.
        package var data: String

        package init(id: String? = nil, name: String, data: String) {
            (self.id, self.name, self.data) = (id, name, data)
        }
    }

    /// The last identifier that the stream has given, whether an event followed or not: what a reader who connects
    /// again says it has.
    package private(set) var lastEventID: String?

    private let byteLimit: Int
    private var line: [UInt8] = []
    private var (id, name, data): (String?, String, [String]) = (nil, "", [])
    /// The bytes of the event that is being read.
    private var byteCount = 0
    private var isAfterCarriageReturn = false
    private var isFirstLine = true

    /// - Parameter byteLimit: How many bytes an event may have at most.
    package init(byteLimit: Int = 64 << 20) { self.byteLimit = byteLimit }

    /// The events that are complete with these bytes.
    ///
    /// - Throws: ``EventStreamError/longEvent(limit:)``, after which there is nothing more to read.
    package mutating func events(in bytes: some Sequence<UInt8>) throws(EventStreamError) -> [Event] {
        var events: [Event] = []
        let isRead =
            bytes.withContiguousStorageIfAvailable { read($0, &events) } ?? read(Array(bytes), &events)
        guard isRead else { throw .longEvent(limit: byteLimit) }
        return events
    }

    private mutating func read(_ bytes: [UInt8], _ events: inout [Event]) -> Bool {
        bytes.withUnsafeBufferPointer { read($0, &events) }
    }

    /// - Returns: Whether no event is too long.
    private mutating func read(_ bytes: UnsafeBufferPointer<UInt8>, _ events: inout [Event]) -> Bool {
        guard let first = bytes.first else { return true }
        var place = isAfterCarriageReturn && first == UInt8(ascii: "\n") ? 1 : 0
        isAfterCarriageReturn = false
        while place < bytes.count {
            let rest = bytes[place...]
            let end = rest.firstIndex { $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "\r") } ?? bytes.count
            byteCount += end - place
            guard byteCount <= byteLimit else { return false }
            line.append(contentsOf: bytes[place..<end])
            guard end < bytes.count else { break }
            endLine(&events)
            place = end + 1
            guard bytes[end] == UInt8(ascii: "\r") else { continue }
            if place == bytes.count {
                isAfterCarriageReturn = true
            } else if bytes[place] == UInt8(ascii: "\n") {
                place += 1
            }
        }
        return true
    }

    private mutating func endLine(_ events: inout [Event]) {
        if isFirstLine, line.starts(with: [0xEF, 0xBB, 0xBF]) { line.removeFirst(3) }
        isFirstLine = false
        if line.isEmpty {
            lastEventID = id
            if !data.isEmpty {
                events.append(
                    Event(id: id, name: name.isEmpty ? "message" : name, data: data.joined(separator: "\n")))
            }
            (name, data, byteCount) = ("", [], 0)
        } else {
            takeField()
        }
        line.removeAll(keepingCapacity: true)
    }

    private mutating func takeField() {
        let colon = line.firstIndex(of: UInt8(ascii: ":"))
        var bytes = colon.map { line[($0 + 1)...] } ?? []
        if bytes.first == UInt8(ascii: " ") { bytes.removeFirst() }
        let value = String(decoding: bytes, as: UTF8.self)
        switch String(decoding: line[..<(colon ?? line.endIndex)], as: UTF8.self) {
        case "id": if !bytes.contains(0) { id = value }
        case "event": name = value
        case "data": data.append(value)
        default: break
        }
    }
}

/// Why a stream of events is not read on.
package enum EventStreamError: Error, Sendable, Hashable, CustomStringConvertible {
    case longEvent(limit: Int)

    package var description: String {
        switch self {
        case .longEvent(let limit): "an event has more than \(limit) bytes"
        }
    }
}
