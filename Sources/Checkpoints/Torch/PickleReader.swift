/// Carries out a pickle's instructions: a machine with a stack and a memo, as `pickletools` describes it.
///
/// It can make only ``PickleValues``, and only names in ``PickleGlobal`` are understood.
struct PickleReader {
    let path: String
    private let bytes: UnsafeRawBufferPointer
    /// The next byte to read, counted from the buffer's start; after ``read()``, the one behind the pickle.
    private(set) var position: Int
    /// Where the instruction under way begins.
    private(set) var start = 0
    private(set) var values = PickleValues()
    private var stack: [PickleValues.Index] = []
    /// How high the stack was at each mark that is not used up.
    private var marks: [Int] = []
    private var memo: [Int: PickleValues.Index] = [:]

    /// - Parameter position: Where the pickle begins.
    init(_ bytes: UnsafeRawBufferPointer, from position: Int = 0, path: String) {
        self.bytes = bytes
        self.position = position
        self.path = path
    }

    /// Reads one pickle.
    ///
    /// - Returns: What it is of, in ``values``.
    mutating func read() throws(TorchError) -> PickleValues.Index {
        stack = []
        marks = []
        memo = [:]
        while true {
            start = position
            let byte = try next(1)[0]
            guard let opcode = PickleOpcode(rawValue: byte) else {
                throw forbidden("instruction 0x" + String(byte, radix: 16))
            }
            if opcode == .stop {
                guard stack.count == 1, marks.isEmpty else {
                    throw damaged("it ends with \(stack.count) values and \(marks.count) marks on the stack")
                }
                return stack[0]
            }
            try perform(opcode)
        }
    }

    private mutating func perform(_ opcode: PickleOpcode) throws(TorchError) {
        switch opcode {
        case .proto:
            let version = try next(1)[0]
            guard version <= 5 else { throw damaged("there is no protocol \(version)") }
        case .stop: break

        case .none: try push(.none)
        case .newTrue: try push(.boolean(true))
        case .newFalse: try push(.boolean(false))
        case .binInt: try push(.integer(Int(Int32(truncatingIfNeeded: try unsigned(4)))))
        case .binInt1: try push(.integer(try unsigned(1)))
        case .binInt2: try push(.integer(try unsigned(2)))
        case .long1: try pushLong()
        case .binFloat:
            let bits = try next(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
            try push(.real(Double(bitPattern: bits)))
        case .binUnicode: try push(.text(try text(try unsigned(4))))
        // Python 2's strings: bytes, which are names here.
        case .shortBinString: try push(.text(try text(try unsigned(1))))

        case .emptyTuple: try push(.tuple([]))
        case .emptyList: try push(.list([]))
        case .emptyDictionary: try push(.dictionary([]))
        case .emptySet: try push(.opaque)
        case .tuple1: try pushTuple(try pop(1))
        case .tuple2: try pushTuple(try pop(2))
        case .tuple3: try pushTuple(try pop(3))
        case .tuple: try pushTuple(try popToMark())
        case .append: try append(try pop(1))
        case .appends: try append(try popToMark())
        case .setItem: try setItems(try pop(2))
        case .setItems: try setItems(try popToMark())

        case .mark:
            guard values.spend(1) else { throw tooMany }
            marks.append(stack.count)
        case .binGet: try recall(try unsigned(1))
        case .longBinGet: try recall(try unsigned(4))
        case .binPut: try remember(at: try unsigned(1))
        case .longBinPut: try remember(at: try unsigned(4))

        case .global:
            let (module, name) = (try line(), try line())
            guard let global = PickleGlobal(module: module, name: name) else {
                throw forbidden((module + "." + name).quoted)
            }
            try push(.global(global))
        case .reduce:
            let operands = try pop(2)
            let value = try call(operands[0], operands[1])
            try push(value, members: value.ownMemberCount)
        case .newObject:
            let operands = try pop(2)
            try push(try object(operands[0]))
        case .build:
            let state = try pop(1)[0]
            try setState(state, of: try top())
        case .binPersistentID:
            let value = try persistent(try pop(1)[0])
            try push(value, members: value.ownMemberCount)
        }
    }

    // MARK: - The stack

    private mutating func push(_ value: PickleValues.Value, members: Int = 0) throws(TorchError) {
        guard let index = values.add(value, members: members) else { throw tooMany }
        stack.append(index)
    }

    private func top() throws(TorchError) -> PickleValues.Index {
        guard let top = stack.last, stack.count > marks.last ?? 0 else {
            throw damaged("the stack is empty")
        }
        return top
    }

    private mutating func pop(_ count: Int) throws(TorchError) -> [PickleValues.Index] {
        guard stack.count - (marks.last ?? 0) >= count else { throw damaged("the stack is empty") }
        defer { stack.removeLast(count) }
        return Array(stack.suffix(count))
    }

    private mutating func popToMark() throws(TorchError) -> [PickleValues.Index] {
        guard let mark = marks.popLast() else { throw damaged("there is no mark on the stack") }
        defer { stack.removeSubrange(mark...) }
        return Array(stack[mark...])
    }

    private mutating func remember(at place: Int) throws(TorchError) {
        guard values.spend(1) else { throw tooMany }
        memo[place] = try top()
    }

    private mutating func recall(_ place: Int) throws(TorchError) {
        guard let index = memo[place] else { throw damaged("nothing was put at place \(place) of the memo") }
        // The stack may not grow without end on one value.
        guard values.spend(1) else { throw tooMany }
        stack.append(index)
    }

    private mutating func pushTuple(_ members: [PickleValues.Index]) throws(TorchError) {
        try push(.tuple(members), members: members.count)
    }

    private mutating func append(_ members: [PickleValues.Index]) throws(TorchError) {
        let target = try top()
        guard case .list(var list) = values[target] else {
            throw damaged("items are appended to " + values.summary(target))
        }
        guard values.spend(members.count) else { throw tooMany }
        values[target] = .none
        list.append(contentsOf: members)
        values[target] = .list(list)
    }

    private mutating func setItems(_ members: [PickleValues.Index]) throws(TorchError) {
        let target = try top()
        guard case .dictionary(var items) = values[target] else {
            throw damaged("items are set in " + values.summary(target))
        }
        guard members.count.isMultiple(of: 2) else { throw damaged("a key has no value") }
        guard values.spend(members.count) else { throw tooMany }
        values[target] = .none
        for place in stride(from: 0, to: members.count, by: 2) {
            items.append((members[place], members[place + 1]))
        }
        values[target] = .dictionary(items)
    }

    mutating func setState(_ state: PickleValues.Index, of target: PickleValues.Index) throws(TorchError) {
        switch values[target] {
        case .module: values[target] = .module(state: state)
        // `_metadata` of a dictionary of weights, and what trained checkpoints have beside these.
        case .dictionary, .opaque: break
        default: throw damaged("a state is given to " + values.summary(target))
        }
    }

    // MARK: - The bytes

    private mutating func next(_ count: Int) throws(TorchError) -> UnsafeRawBufferPointer {
        guard count <= bytes.count - position else { throw damaged("it ends in the middle") }
        defer { position += count }
        return UnsafeRawBufferPointer(rebasing: bytes[position..<position + count])
    }

    /// A number of at most 4 bytes, least significant first.
    private mutating func unsigned(_ count: Int) throws(TorchError) -> Int {
        try next(count).reversed().reduce(0) { $0 << 8 | Int($1) }
    }

    private mutating func pushLong() throws(TorchError) {
        let digits = try next(try unsigned(1))
        guard digits.count <= 8 else { return try push(.largeInteger(Array(digits))) }
        var value: UInt64 = digits.last.map { $0 >= 0x80 ? .max : 0 } ?? 0
        for digit in digits.reversed() { value = value << 8 | UInt64(digit) }
        try push(.integer(Int(Int64(bitPattern: value))))
    }

    private mutating func text(_ count: Int) throws(TorchError) -> String {
        guard let text = String(validating: try next(count), as: UTF8.self) else {
            throw damaged("a text is not UTF-8")
        }
        return text
    }

    /// The text up to the end of the line; names of modules and classes are short.
    private mutating func line() throws(TorchError) -> String {
        let rest = bytes[position...].prefix(256)
        guard let end = rest.firstIndex(of: 0x0A) else { throw damaged("a name does not end") }
        let name = try text(end - position)
        position += 1
        return name
    }

    // MARK: - Errors

    private var tooMany: TorchError {
        damaged("it makes more than \(PickleValues.limit) values, marks and places of its memo")
    }

    func damaged(_ reason: String) -> TorchError {
        TorchError(path: path, problem: .pickle(reason, offset: start))
    }

    func forbidden(_ what: String) -> TorchError {
        TorchError(path: path, problem: .forbidden(what, offset: start))
    }
}
