/// The values that a pickle makes, each under a number.
///
/// Values refer to others by number: sharing, cycles and any depth cost nothing, and nothing here is recursive.
struct PickleValues {
    typealias Index = Int32

    enum Value {
        case none
        case boolean(Bool)
        case integer(Int)
        /// One of more than 64 bits: its bytes, least significant first.
        case largeInteger([UInt8])
        case real(Double)
        case text(String)
        case tuple([Index])
        case list([Index])
        case dictionary([(key: Index, value: Index)])
        case global(PickleGlobal)
        indirect case storage(TorchStorage)
        indirect case tensor(TorchTensor)
        /// A `torch.nn` container, whose parameters are in its state, a dictionary.
        case module(state: Index?)
        /// Something that is no weight, and that nothing is made of.
        case opaque

        /// What a storage or a tensor counts for beside itself: it has a name, sizes and strides of its own.
        var ownMemberCount: Int {
            switch self {
            case .storage: 4
            case .tensor(let tensor): 8 + 2 * tensor.shape.rank
            default: 0
            }
        }
    }

    /// The most values, members of values, marks and places of the memo; beyond that, a file is none of weights: the pickle of
    /// a checkpoint of Stable Diffusion with moving averages and its optimizer's state has 141,000 instructions.
    static let limit = 2_000_000

    private(set) var count = 0
    private var values: [Value] = []

    /// Adds a value; nil where there are too many.
    mutating func add(_ value: Value, members: Int = 0) -> Index? {
        guard spend(1 + members) else { return nil }
        values.append(value)
        return Index(values.count - 1)
    }

    /// Counts more of what is limited; false where there are too many.
    mutating func spend(_ amount: Int) -> Bool {
        guard amount <= Self.limit - count else { return false }
        count += amount
        return true
    }

    subscript(_ index: Index) -> Value {
        _read { yield values[Int(index)] }
        _modify { yield &values[Int(index)] }
    }

    /// Every storage that is named.
    var storages: [TorchStorage] {
        values.compactMap { if case .storage(let storage) = $0 { storage } else { nil } }
    }

    func text(_ index: Index) -> String? {
        if case .text(let text) = self[index] { text } else { nil }
    }

    func integer(_ index: Index) -> Int? {
        if case .integer(let integer) = self[index] { integer } else { nil }
    }

    func tuple(_ index: Index) -> [Index]? {
        if case .tuple(let members) = self[index] { members } else { nil }
    }

    func integers(_ index: Index) -> [Int]? {
        guard let members = tuple(index) else { return nil }
        let integers = members.compactMap { integer($0) }
        return integers.count == members.count ? integers : nil
    }

    /// What a value is, for a message.
    func summary(_ index: Index) -> String {
        switch self[index] {
        case .none: "None"
        case .boolean(let value): value ? "True" : "False"
        case .integer(let value): "\(value)"
        case .largeInteger(let bytes): "an integer of \(bytes.count) bytes"
        case .real(let value): "\(value)"
        case .text(let text): text.quoted
        case .tuple(let members): "a tuple of \(members.count)"
        case .list(let members): "a list of \(members.count)"
        case .dictionary(let members): "a dictionary of \(members.count)"
        case .global(let global): global.summary
        case .storage: "a storage"
        case .tensor: "a tensor"
        case .module: "a module"
        case .opaque: "an object"
        }
    }
}
