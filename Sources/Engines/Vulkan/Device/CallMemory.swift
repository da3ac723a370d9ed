import CVulkanLoader

/// Structures, lists and texts that a call of Vulkan finds by their addresses, for as long as the call takes.
struct CallMemory: ~Copyable {
    private var places: [UnsafeMutableRawPointer] = []

    /// Gives `body` memory that is there until it returns.
    static func with<Result>(_ body: (inout CallMemory) -> Result) -> Result {
        var memory = CallMemory()
        defer { for place in memory.places { place.deallocate() } }
        return body(&memory)
    }

    /// The address of a structure, or of an element that is the only one of its list.
    mutating func address<Value>(of value: Value) -> UnsafeMutablePointer<Value> {
        let place = UnsafeMutablePointer<Value>.allocate(capacity: 1)
        place.initialize(to: value)
        places.append(place)
        return place
    }

    /// The address of a list's first element; nil of an empty one.
    mutating func address<Element>(of list: [Element]) -> UnsafePointer<Element>? {
        guard !list.isEmpty else { return nil }
        let place = UnsafeMutablePointer<Element>.allocate(capacity: list.count)
        place.initialize(from: list, count: list.count)
        places.append(place)
        return UnsafePointer(place)
    }

    mutating func address(of text: String) -> UnsafePointer<CChar>? { address(of: Array(text.utf8CString)) }

    mutating func address(of texts: [String]) -> UnsafePointer<UnsafePointer<CChar>?>? {
        var addresses: [UnsafePointer<CChar>?] = []
        for text in texts { addresses.append(address(of: text)) }
        return address(of: addresses)
    }

    /// Puts a structure before the others of a chain.
    ///
    /// - Returns: The chain's new beginning, which another structure's `pNext` is.
    mutating func chain<Structure>(
        _ structure: Structure, before others: UnsafeMutableRawPointer?
    ) -> UnsafeMutableRawPointer {
        let place = UnsafeMutableRawPointer(address(of: structure))
        // What every structure of a chain begins with.
        place.assumingMemoryBound(to: VkBaseOutStructure.self).pointee.pNext =
            others?.assumingMemoryBound(to: VkBaseOutStructure.self)
        return place
    }
}
