import CMappedFile
import Foundation

/// A file without a name, for memory that is written once and read rarely: its pages need not stay in memory. It is gone
/// when its descriptor is closed and its memory is unmapped.
enum ScratchFile {
    /// The descriptor of a file of that size; nil where there is none to be had: what it is for stays in memory then.
    static func open(byteCount: Int) -> Int32? {
        for folder in [NSTemporaryDirectory(), "/var/tmp"] {
            let descriptor = easel_open_scratch_file(folder, byteCount)
            if descriptor >= 0 { return descriptor }
        }
        return nil
    }
}
