import TensorGraph

/// Reads a safetensors header's JSON, entry by entry, and checks each entry and all together.
struct SafetensorsHeaderParser {
    /// A JSON number beyond 2⁵³ is not one number to every reader.
    private static let largestInteger = 1 << 53
    private static let maximumRank = 64

    private let path: String
    private let dataStart: Int
    private let dataByteCount: Int
    private var scanner: JSONScanner
    private var tensors: [SafetensorsHeader.Tensor] = []
    private var names: Set<String> = []
    private var metadata: [String: String] = [:]
    private var entryCount = 0

    init(_ header: UnsafeRawBufferPointer, path: String, dataStart: Int, dataByteCount: Int) {
        self.path = path
        self.dataStart = dataStart
        self.dataByteCount = dataByteCount
        scanner = JSONScanner(header, named: path + " (header)")
    }

    mutating func parse() throws(SafetensorsError) -> ([SafetensorsHeader.Tensor], [String: String]) {
        try json { scanner throws(JSONError) in try scanner.beginObject() }
        var isFirst = true
        while let name = try nextKey(isFirst: &isFirst) {
            let position = scanner.keyOffset
            guard names.insert(name).inserted else { throw duplicate(name, at: position) }
            if name == "__metadata__" {
                try parseMetadata()
            } else {
                try countEntry()
                tensors.append(try parseTensor(named: name))
            }
        }
        try json { scanner throws(JSONError) in try scanner.finish() }
        try checkPlaces()
        return (tensors, metadata)
    }

    private mutating func parseMetadata() throws(SafetensorsError) {
        try json { scanner throws(JSONError) in try scanner.beginObject() }
        var isFirst = true
        while let key = try nextKey(isFirst: &isFirst) {
            let position = scanner.keyOffset
            try countEntry()
            let text = try text("__metadata__", key.quoted)
            guard metadata.updateValue(text, forKey: key) == nil else { throw duplicate(key, at: position) }
        }
    }

    private mutating func parseTensor(named name: String) throws(SafetensorsError) -> SafetensorsHeader.Tensor
    {
        guard !name.hasControlCharacter else { throw failure(.controlCharacter(name: name)) }
        guard scanner.peek() == UInt8(ascii: "{") else {
            throw try wrong(name, "the entry", expected: "an object")
        }
        try json { scanner throws(JSONError) in try scanner.beginObject() }
        var (typeName, dimensions, offsets): (String?, [Int]?, [Int]?)
        var fields: Set<String> = []
        var isFirst = true
        while let field = try nextKey(isFirst: &isFirst) {
            guard fields.insert(field).inserted else { throw duplicate(field, at: scanner.keyOffset) }
            switch field {
            case "dtype": typeName = try text(name, field)
            case "shape": dimensions = try integers(name, field)
            case "data_offsets": offsets = try integers(name, field)
            default: _ = try json { scanner throws(JSONError) in try scanner.summary() }
            }
        }
        guard let typeName else { throw wrong(name, "dtype", expected: "a text", nil) }
        guard let type = SafetensorsType(rawValue: typeName) else {
            throw failure(.unknownType(tensor: name, type: typeName))
        }
        guard let dimensions else { throw wrong(name, "shape", expected: "a list of whole numbers", nil) }
        let shape = Shape(dimensions)
        let byteCount = try byteCount(of: shape, type, name)
        guard let elementType = type.elementType else {
            throw failure(.unsupportedType(tensor: name, type: typeName))
        }
        guard let offsets, offsets.count == 2 else {
            throw wrong(
                name, "data_offsets", expected: "a list of 2", offsets.map { "a list of \($0.count)" })
        }
        let (begin, end) = (offsets[0], offsets[1])
        guard begin <= end else { throw failure(.reversedOffsets(tensor: name, begin: begin, end: end)) }
        guard end <= dataByteCount else {
            throw failure(.beyondEnd(tensor: name, end: end, dataBytes: dataByteCount))
        }
        guard end - begin == byteCount else {
            throw failure(
                .wrongSize(
                    tensor: name, shape: shape, type: typeName, shapeBytes: byteCount,
                    offsetBytes: end - begin))
        }
        return SafetensorsHeader.Tensor(
            name: name, entry: WeightEntry(shape: shape, elementType: elementType), storedType: typeName,
            offset: dataStart + begin, byteCount: byteCount)
    }

    /// Reads a text; anything else is not kept in memory.
    private mutating func text(_ name: String, _ field: String) throws(SafetensorsError) -> String {
        guard scanner.peek() == UInt8(ascii: "\"") else { throw try wrong(name, field, expected: "a text") }
        return try json { scanner throws(JSONError) in try scanner.string() }
    }

    /// Reads a list, up to where it is longer than any that is used.
    private mutating func integers(_ name: String, _ field: String) throws(SafetensorsError) -> [Int] {
        guard scanner.peek() == UInt8(ascii: "[") else {
            throw try wrong(name, field, expected: "a list of whole numbers")
        }
        try json { scanner throws(JSONError) in try scanner.beginArray() }
        var integers: [Int] = []
        var isFirst = true
        while try json({ scanner throws(JSONError) in try scanner.nextElement(isFirst: &isFirst) }) {
            guard integers.count < Self.maximumRank else {
                throw wrong(name, field, expected: "a list of at most \(Self.maximumRank)", "a longer one")
            }
            let expected = "a list of whole numbers from 0 to 2^53"
            guard let next = scanner.peek(), next == UInt8(ascii: "-") || (0x30...0x39).contains(next) else {
                throw try wrong(name, field, expected: expected)
            }
            let number = try json { scanner throws(JSONError) in try scanner.number() }
            guard let integer = number.integer, (0...Self.largestInteger).contains(integer),
                number.text != "-0"
            else {
                throw wrong(name, field, expected: expected, JSONValue.number(number).summary)
            }
            integers.append(integer)
        }
        return integers
    }

    private func byteCount(of shape: Shape, _ type: SafetensorsType, _ name: String) throws(SafetensorsError)
        -> Int
    {
        guard let count = shape.checkedCount else {
            throw failure(.shapeTooLarge(tensor: name, shape: shape))
        }
        let (bits, overflow) = count.multipliedReportingOverflow(by: type.bitCount)
        guard !overflow else { throw failure(.shapeTooLarge(tensor: name, shape: shape)) }
        guard bits.isMultiple(of: 8) else {
            throw failure(.partialByte(tensor: name, type: type.rawValue, shape: shape))
        }
        return bits / 8
    }

    /// Puts the tensors in the order of their places, which must fill the data without overlap and holes.
    private mutating func checkPlaces() throws(SafetensorsError) {
        tensors.sort { ($0.offset, $0.byteCount) < ($1.offset, $1.byteCount) }
        var end = 0
        var previous = ""
        for tensor in tensors {
            let begin = tensor.offset - dataStart
            if begin < end {
                throw failure(.overlap(tensor: tensor.name, begin: begin, other: previous, otherEnd: end))
            }
            if begin > end { throw failure(.gap(tensor: tensor.name, begin: begin, previousEnd: end)) }
            end += tensor.byteCount
            previous = tensor.name
        }
        if end < dataByteCount { throw failure(.trailing(bytes: dataByteCount - end)) }
    }

    private mutating func countEntry() throws(SafetensorsError) {
        entryCount += 1
        if entryCount > SafetensorsHeader.maximumEntryCount {
            throw failure(.tooManyEntries(limit: SafetensorsHeader.maximumEntryCount))
        }
    }

    private mutating func nextKey(isFirst: inout Bool) throws(SafetensorsError) -> String? {
        do throws(JSONError) { return try scanner.nextKey(isFirst: &isFirst) } catch {
            throw failure(.malformedHeader(error))
        }
    }

    private mutating func json<Value>(_ read: (inout JSONScanner) throws(JSONError) -> Value)
        throws(SafetensorsError) -> Value
    {
        do throws(JSONError) { return try read(&scanner) } catch { throw failure(.malformedHeader(error)) }
    }

    private func duplicate(_ name: String, at position: Int) -> SafetensorsError {
        failure(.malformedHeader(scanner.error(.duplicateKey(name), at: position)))
    }

    /// What is next is something else than it must be.
    private mutating func wrong(_ name: String, _ field: String, expected: String) throws(SafetensorsError)
        -> SafetensorsError
    {
        let actual = try json { scanner throws(JSONError) in try scanner.summary() }
        return wrong(name, field, expected: expected, actual)
    }

    private func wrong(_ name: String, _ field: String, expected: String, _ actual: String?)
        -> SafetensorsError
    {
        failure(.wrongField(tensor: name, field: field, expected: expected, actual: actual))
    }

    private func failure(_ problem: SafetensorsError.Problem) -> SafetensorsError {
        SafetensorsError(path: path, problem: problem)
    }
}
