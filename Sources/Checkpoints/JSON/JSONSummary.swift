extension JSONScanner {
    /// Reads any value without keeping what is in it, and says in a few words what it was, as ``JSONValue/summary`` does.
    mutating func summary() throws(JSONError) -> String {
        var count = 0
        var isFirst = true
        switch peek() {
        case UInt8(ascii: "{"):
            try beginObject()
            while try nextKey(isFirst: &isFirst) != nil {
                try skipValue()
                count += 1
            }
            return "an object of \(count)"
        case UInt8(ascii: "["):
            try beginArray()
            while try nextElement(isFirst: &isFirst) {
                try skipValue()
                count += 1
            }
            return "a list of \(count)"
        default: return try value().summary
        }
    }

    private mutating func skipValue() throws(JSONError) {
        switch peek() {
        case UInt8(ascii: "{"), UInt8(ascii: "["): _ = try summary()
        default: _ = try value()
        }
    }
}
