/// A safetensors file of a header's text and the values' bytes.
func safetensors(_ header: String, data: [UInt8] = []) -> [UInt8] {
    safetensors(header: Array(header.utf8), data: data)
}

func safetensors(header: [UInt8], data: [UInt8] = []) -> [UInt8] {
    let length = UInt64(header.count)
    return (0..<8).map { UInt8(truncatingIfNeeded: length >> (8 * $0)) } + header + data
}

/// A file of `F32` tensors, each of one axis.
func safetensors(_ tensors: KeyValuePairs<String, [Float]>) -> [UInt8] {
    var entries: [String] = []
    var data: [UInt8] = []
    for (name, values) in tensors {
        let begin = data.count
        for value in values {
            data += (0..<4).map { UInt8(truncatingIfNeeded: value.bitPattern >> (8 * $0)) }
        }
        entries.append(
            "\"\(name)\":{\"dtype\":\"F32\",\"shape\":[\(values.count)],\"data_offsets\":[\(begin),\(data.count)]}"
        )
    }
    return safetensors("{" + entries.joined(separator: ",") + "}", data: data)
}
