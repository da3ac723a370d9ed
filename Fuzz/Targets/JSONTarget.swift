import Checkpoints

/// A document is read, or refused at a place inside it; what standard JSON has, Python's dialect has too.
func checkJSON(_ bytes: [UInt8]) throws(Broken) {
    let standard = Result { () throws(JSONError) in try JSONValue(parsing: bytes, named: "input") }
    let python = Result { () throws(JSONError) in
        try JSONValue(parsing: bytes, named: "input", dialect: .python)
    }
    switch standard {
    case .success:
        guard case .success = python else { throw Broken(description: "only standard JSON has it") }
    case .failure(let error):
        try require((0...bytes.count).contains(error.offset), "refused at \(error.offset) of \(bytes.count)")
        try require(error.line >= 1 && !error.description.isEmpty, "refused without a place")
    }
}
