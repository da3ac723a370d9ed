/// The members of a zip archive, where they are; nothing is unpacked.
///
/// PKWARE's APPNOTE 6.3, with its 64-bit sizes, as far as PyTorch writes it: every member is stored as it is. What an
/// archive of PyTorch's never is, is refused: encrypted, in several parts, two members of one name or in one place, a
/// name that leads out of a folder.
struct ZipDirectory {
    static let maximumMemberCount = 100_000
    /// The end of the central directory without a comment.
    private static let endByteCount = 22

    private(set) var members: [String: ZipMember] = [:]
    private let bytes: UnsafeRawBufferPointer
    private let path: String

    /// - Throws: ``TorchError``.
    init(_ bytes: UnsafeRawBufferPointer, path: String) throws(TorchError) {
        self.bytes = bytes
        self.path = path
        let directory = try findDirectory()
        var position = directory.range.lowerBound
        var taken: [Range<Int>] = []
        for _ in 0..<directory.count {
            let entry = try Entry(self, at: position, in: directory.range)
            position = entry.end
            guard !entry.name.isEmpty else { throw failure("a member has an empty name") }
            guard !entry.name.isUnsafePath else {
                throw failure("a member's name is \(entry.name.quoted), which leads out of the archive")
            }
            let (start, contents) = try place(of: entry, before: directory.range.lowerBound)
            taken.append(start..<contents.upperBound)
            let member = ZipMember(name: entry.name, range: contents, checksum: entry.checksum)
            guard members.updateValue(member, forKey: entry.name) == nil else {
                throw failure("two members are named \(entry.name.quoted)")
            }
        }
        guard position == directory.range.upperBound else {
            throw failure("its directory has \(directory.range.upperBound - position) bytes too many")
        }
        taken.sort { $0.lowerBound < $1.lowerBound }
        for (first, second) in zip(taken, taken.dropFirst()) where second.lowerBound < first.upperBound {
            throw failure("two members are in one place, at byte \(second.lowerBound)")
        }
    }

    /// Where the central directory is, and how many members it lists.
    private func findDirectory() throws(TorchError) -> (range: Range<Int>, count: Int) {
        let latest = bytes.count - Self.endByteCount
        guard latest >= 0 else { throw failure("it has only \(bytes.count) bytes") }
        // A comment of up to 65535 bytes may follow, to the very end.
        let end = stride(from: latest, through: max(0, latest - 0xFFFF), by: -1).first {
            unsigned(4, at: $0) == 0x0605_4B50 && unsigned(2, at: $0 + 20) == latest - $0
        }
        guard let end else {
            throw failure("it has no directory at its end; it was probably not downloaded completely")
        }
        guard unsigned(2, at: end + 4) == 0, unsigned(2, at: end + 6) == 0 else {
            throw failure("it is one of several parts")
        }
        var (count, size, start) = (
            unsigned(2, at: end + 10), unsigned(4, at: end + 12), unsigned(4, at: end + 16)
        )
        var limit = end
        if count == 0xFFFF || size == 0xFFFF_FFFF || start == 0xFFFF_FFFF {
            let locator = end - 20
            guard locator >= 0, unsigned(4, at: locator) == 0x0706_4B50,
                let record = signed(8, at: locator + 8), record <= locator - 56,
                unsigned(4, at: record) == 0x0606_4B50, unsigned(4, at: locator + 4) == 0,
                unsigned(4, at: record + 16) == 0, unsigned(4, at: record + 20) == 0,
                let longCount = signed(8, at: record + 32),
                let longSize = signed(8, at: record + 40), let longStart = signed(8, at: record + 48)
            else { throw failure("its directory's 64-bit record is damaged, or of one of several parts") }
            (count, size, start, limit) = (longCount, longSize, longStart, record)
        }
        guard count <= Self.maximumMemberCount else {
            throw failure("it has \(count) members; at most \(Self.maximumMemberCount) are read")
        }
        guard start <= limit, size <= limit - start else {
            throw failure("its directory would be behind the end of the file")
        }
        return (start..<start + size, count)
    }

    /// Where a member begins, and where its bytes are behind its own header, which must say the same as the directory.
    private func place(of entry: Entry, before limit: Int) throws(TorchError) -> (Int, Range<Int>) {
        let header = entry.offset
        guard limit >= 30, header <= limit - 30, unsigned(4, at: header) == 0x0403_4B50 else {
            throw failure("\(entry.name.quoted) is not where the directory says")
        }
        let nameLength = unsigned(2, at: header + 26)
        let start = header + 30 + nameLength + unsigned(2, at: header + 28)
        guard start <= limit, entry.size <= limit - start else {
            throw failure("\(entry.name.quoted) reaches into the directory")
        }
        let name = bytes[header + 30..<header + 30 + nameLength]
        guard name.elementsEqual(entry.name.utf8), unsigned(2, at: header + 6) & 1 == 0,
            unsigned(2, at: header + 8) == 0
        else { throw failure("\(entry.name.quoted) is something else in its own header") }
        return (header, start..<start + entry.size)
    }

    /// A number of at most 4 bytes at a place in the file.
    fileprivate func unsigned(_ count: Int, at position: Int) -> Int {
        (0..<count).reversed().reduce(0) { $0 << 8 | Int(bytes[position + $1]) }
    }

    /// A number of 8 bytes, or nil where it is beyond `Int`.
    fileprivate func signed(_ count: Int, at position: Int) -> Int? {
        Int(exactly: UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: position, as: UInt64.self)))
    }

    fileprivate func text(_ range: Range<Int>) -> String? {
        String(validating: bytes[range], as: UTF8.self)
    }

    func failure(_ reason: String) -> TorchError { TorchError(path: path, problem: .archive(reason)) }
}

/// What the central directory says of a member.
private struct Entry {
    let name: String
    let checksum: UInt32?
    var size: Int
    /// Where the member's own header is.
    var offset: Int
    /// Where the next entry begins.
    let end: Int

    init(_ zip: ZipDirectory, at position: Int, in directory: Range<Int>) throws(TorchError) {
        let room = directory.upperBound - position
        guard room >= 46, zip.unsigned(4, at: position) == 0x0201_4B50 else {
            throw zip.failure("its directory is damaged at byte \(position)")
        }
        let (nameLength, extraLength) = (
            zip.unsigned(2, at: position + 28), zip.unsigned(2, at: position + 30)
        )
        let nameStart = position + 46
        let extraStart = nameStart + nameLength
        end = extraStart + extraLength + zip.unsigned(2, at: position + 32)
        guard end <= directory.upperBound, let name = zip.text(nameStart..<extraStart) else {
            throw zip.failure("its directory is damaged at byte \(position)")
        }
        self.name = name
        guard zip.unsigned(2, at: position + 34) == 0 else {
            throw zip.failure("\(name.quoted) is in another of several parts")
        }
        let flags = zip.unsigned(2, at: position + 8)
        guard flags & 0b10_0000_0100_0001 == 0 else { throw zip.failure("\(name.quoted) is encrypted") }
        let method = zip.unsigned(2, at: position + 10)
        guard method == 0 else {
            throw zip.failure("\(name.quoted) is compressed (method \(method)), which PyTorch never does")
        }
        let sum = zip.unsigned(4, at: position + 16)
        checksum = sum == 0 ? nil : UInt32(sum)
        var packed = zip.unsigned(4, at: position + 20)
        size = zip.unsigned(4, at: position + 24)
        offset = zip.unsigned(4, at: position + 42)

        // The 64-bit numbers stand for those that are all ones, in this order.
        var extra = extraStart
        var isRead = false
        while extra + 4 <= extraStart + extraLength, !isRead {
            let (kind, length) = (zip.unsigned(2, at: extra), zip.unsigned(2, at: extra + 2))
            var value = extra + 4
            extra = value + length
            guard extra <= extraStart + extraLength else {
                throw zip.failure("\(name.quoted) has damaged extra fields")
            }
            guard kind == 1 else { continue }
            isRead = true
            func long(_ short: Int) throws(TorchError) -> Int {
                guard short == 0xFFFF_FFFF else { return short }
                guard value + 8 <= extra, let long = zip.signed(8, at: value) else {
                    throw zip.failure("\(name.quoted) has a damaged 64-bit size")
                }
                value += 8
                return long
            }
            size = try long(size)
            packed = try long(packed)
            offset = try long(offset)
        }
        guard size == packed else {
            throw zip.failure("\(name.quoted) has \(size) bytes, stored as \(packed)")
        }
    }
}

extension String {
    /// Whether a path from a file could lead out of a folder that it is taken to be in.
    fileprivate var isUnsafePath: Bool {
        contains("\\") || contains(":") || unicodeScalars.first == "/"
            || split(separator: "/", omittingEmptySubsequences: false).contains("..")
    }
}
