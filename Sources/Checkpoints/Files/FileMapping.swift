import CMappedFile
import Foundation

/// Whole files, one behind the other in one range of addresses, each from the start of a page, with zeroed
/// memory behind them. What is written to the range stays in this process. Unmapped when released.
final class FileMapping: @unchecked Sendable {
    let bytes: UnsafeMutableRawBufferPointer
    /// Where each file begins in `bytes`.
    let fileOffsets: [Int]
    /// Where the additional memory begins in `bytes`.
    let additionalOffset: Int
    private let files: [RegularFile]
    private var watches: [Int32] = []
    /// What is behind the additional memory, where that is a file.
    private var scratch: Int32?
    private var scratchWatch: Int32?
    /// Of less, anonymous memory is as good.
    private static let fewestScratchBytes = 1 << 26

    /// - Throws: ``FileError`` where a file is not what it was when it was opened, or cannot be mapped.
    init(_ files: [RegularFile], additionalBytes: Int) throws(FileError) {
        let pageSize = Int(getpagesize())
        var offsets: [Int] = []
        var total = 0
        for byteCount in files.map(\.byteCount) + [additionalBytes] {
            offsets.append(total)
            let (end, overflow) = total.addingReportingOverflow(max(byteCount, 0))
            guard !overflow, end <= Int.max - pageSize else {
                throw Self.notMapped(files, bytes: Int.max, code: ENOMEM)
            }
            total = (end + pageSize - 1) / pageSize * pageSize
        }
        total = max(total, pageSize)
        // The range is reserved first, so that each part has a place that nothing else can take.
        let reserved = mmap(nil, total, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | Self.noReserve, -1, 0)
        guard let reserved, reserved != MAP_FAILED else {
            throw Self.notMapped(files, bytes: total, code: errno)
        }
        bytes = UnsafeMutableRawBufferPointer(start: reserved, count: total)
        additionalOffset = offsets.removeLast()
        fileOffsets = offsets
        self.files = files

        for (file, offset) in zip(files, offsets) {
            try file.checkUnchanged()
            guard file.byteCount > 0 else { continue }
            let place = reserved + offset
            let mapped = mmap(
                place, file.byteCount, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED | Self.noReserve,
                file.descriptor, 0)
            guard mapped != MAP_FAILED else {
                throw Self.notMapped([file], bytes: file.byteCount, code: errno)
            }
            let watch = easel_watch_mapping(place, (file.byteCount + pageSize - 1) / pageSize * pageSize)
            guard watch >= 0 else { throw Self.notMapped([file], bytes: file.byteCount, code: EMFILE) }
            watches.append(watch)
        }
        if total > additionalOffset {
            try mapAdditional(reserved + additionalOffset, total - additionalOffset)
        }
        for file in files { try file.checkUnchanged() }
    }

    /// Zeroed memory; of much of it, the pages of a file without a name, which can be given back as those of the others.
    private func mapAdditional(_ place: UnsafeMutableRawPointer, _ byteCount: Int) throws(FileError) {
        let scratch = byteCount >= Self.fewestScratchBytes ? ScratchFile.open(byteCount: byteCount) : nil
        let sharing = scratch == nil ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED
        let mapped = mmap(place, byteCount, PROT_READ | PROT_WRITE, sharing | MAP_FIXED, scratch ?? -1, 0)
        self.scratch = scratch
        guard mapped != MAP_FAILED else {
            throw Self.notMapped(files, bytes: byteCount, code: errno)
        }
        guard scratch != nil else {
            #if canImport(Glibc)
                // Much of it is filled soon, and large pages take a fraction of the time; without, it works as well.
                madvise(place, byteCount, MADV_HUGEPAGE)
            #endif
            return
        }
        // A disk that fails gives zeros, and is told of, as for the other files.
        let watch = easel_watch_mapping(place, byteCount)
        guard watch >= 0 else { throw Self.notMapped(files, bytes: byteCount, code: EMFILE) }
        scratchWatch = watch
    }

    deinit {
        if let scratchWatch { easel_unwatch_mapping(scratchWatch) }
        if let scratch { close(scratch) }
        for watch in watches { easel_unwatch_mapping(watch) }
        munmap(bytes.baseAddress, bytes.count)
    }

    /// The bytes of a file.
    func file(_ index: Int) -> UnsafeMutableRawBufferPointer {
        let start = fileOffsets[index]
        return UnsafeMutableRawBufferPointer(rebasing: bytes[start..<start + files[index].byteCount])
    }

    /// Copies bytes into the additional memory. A file behind it is written to, which is faster than to have each of its
    /// pages brought into memory first.
    func write(_ source: UnsafeRawBufferPointer, at offset: Int) {
        let target = UnsafeMutableRawBufferPointer(rebasing: bytes[offset..<offset + source.count])
        var done = 0
        if let scratch, let start = source.baseAddress {
            while done < source.count {
                let place = off_t(offset - additionalOffset + done)
                let written = pwrite(scratch, start + done, source.count - done, place)
                guard written > 0 else { break }
                done += written
            }
        }
        UnsafeMutableRawBufferPointer(rebasing: target[done...])
            .copyMemory(from: UnsafeRawBufferPointer(rebasing: source[done...]))
    }

    /// Tells the system that little of the files is read, here and there, so that it does not read what is around it.
    func expectScatteredReading() {
        guard let start = bytes.baseAddress else { return }
        for (file, offset) in zip(files, fileOffsets) where file.byteCount > 0 {
            madvise(start + offset, file.byteCount, MADV_RANDOM)
        }
    }

    /// Gives the memory of the files' pages back; nothing may have been written to them. Large additional memory goes
    /// where it can be read again.
    func releaseFilePages() {
        guard let start = bytes.baseAddress else { return }
        for (file, offset) in zip(files, fileOffsets) where file.byteCount > 0 {
            madvise(start + offset, file.byteCount, MADV_DONTNEED)
        }
        if scratchWatch != nil {
            madvise(start + additionalOffset, bytes.count - additionalOffset, MADV_DONTNEED)
        }
    }

    /// Throws where a file has been cut short or written to, or a page of it could not be read.
    func validate() throws(FileError) {
        for file in files { try file.checkStillWhole() }
        for (file, watch) in zip(files.filter { $0.byteCount > 0 }, watches)
        where easel_mapping_is_damaged(watch) {
            throw .readFailed(path: file.path, offset: nil, reason: "a page of it could not be read")
        }
        if let scratchWatch, easel_mapping_is_damaged(scratchWatch) {
            throw .readFailed(
                path: NSTemporaryDirectory(), offset: nil,
                reason: "a page of a temporary file in it could not be read")
        }
    }

    private static var noReserve: Int32 {
        #if canImport(Darwin)
            0
        #else
            Int32(MAP_NORESERVE)
        #endif
    }

    private static func notMapped(_ files: [RegularFile], bytes: Int, code: Int32) -> FileError {
        .notMapped(
            path: files.map(\.path).joined(separator: ", "), bytes: bytes,
            reason: String(cString: strerror(code)))
    }
}
