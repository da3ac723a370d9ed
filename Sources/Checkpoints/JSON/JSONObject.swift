/// The members of a JSON object, in the order of the document, each found by its key in constant time.
///
/// Keys are the same where their bytes are: `é` as one scalar and as two are two keys, unlike in a
/// `Dictionary` of `String`. Vocabularies have both.
public struct JSONObject: Sendable, Hashable {
    public struct Member: Sendable, Hashable {
        public let key: String
        public let value: JSONValue

        public init(key: String, value: JSONValue) {
            self.key = key
            self.value = value
        }
    }

    public private(set) var members: [Member] = []
    private var positions: [ExactText: Int] = [:]

    /// An object without members.
    public init() {}

    /// - Returns: Nil where a key occurs twice.
    public init?(_ members: [Member]) {
        reserveCapacity(members.count)
        for member in members where !append(member.value, for: member.key) { return nil }
    }

    /// The value of a key, or nil where there is none.
    public subscript(key: String) -> JSONValue? {
        positions[ExactText(key)].map { members[$0].value }
    }

    /// The keys in the order of the document.
    public var keys: [String] { members.map(\.key) }

    public var count: Int { members.count }

    public static func == (left: JSONObject, right: JSONObject) -> Bool { left.members == right.members }

    public func hash(into hasher: inout Hasher) { hasher.combine(members) }

    mutating func reserveCapacity(_ count: Int) {
        members.reserveCapacity(count)
        positions.reserveCapacity(count)
    }

    /// - Returns: False, and nothing is changed, where the key is there already.
    public mutating func append(_ value: JSONValue, for key: String) -> Bool {
        if let known = positions.updateValue(members.count, forKey: ExactText(key)) {
            positions[ExactText(key)] = known
            return false
        }
        members.append(Member(key: key, value: value))
        return true
    }
}
