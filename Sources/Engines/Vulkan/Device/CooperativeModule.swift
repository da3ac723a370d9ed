/// A shader's words, with the cooperative matrices of Khronos' extension in place of those of NVIDIA's, which came before it
/// and is the one that glslc knows in the Debian that is built on.
///
/// The two differ in three ways (SPV_NV_cooperative_matrix, SPV_KHR_cooperative_matrix): a type here says what its matrix is
/// used for, which the shader tells by the number of the constant that gives the scope; whether columns lie one after the
/// other is a number, not a truth value, and comes before the stride.
struct CooperativeModule {
    private(set) var words: [UInt32]

    /// The numbers of the constants that are scopes of left factors, right factors and sums, in the order of the uses'
    /// numbers.
    private static let scopes: [UInt32] = [100, 101, 102]

    private enum Opcode {
        static let `extension`: UInt32 = 10
        static let capability: UInt32 = 17
        static let integerType: UInt32 = 21
        static let trueConstant: UInt32 = 41
        static let constant: UInt32 = 43
        static let decorate: UInt32 = 71
        static let type: (nvidia: UInt32, khronos: UInt32) = (5358, 4456)
        static let load: (nvidia: UInt32, khronos: UInt32) = (5359, 4457)
        static let store: (nvidia: UInt32, khronos: UInt32) = (5360, 4458)
        static let multiplyAdd: (nvidia: UInt32, khronos: UInt32) = (5361, 4459)
    }

    private static let capability: (nvidia: UInt32, khronos: UInt32) = (5357, 6022)
    private static let headerWordCount = 5

    init(_ given: [UInt32]) {
        words = Array(given.prefix(Self.headerWordCount))
        guard given.count > Self.headerWordCount else { return }
        var nextIdentifier = given[3]
        var uses: [UInt32: UInt32] = [:]
        var trueConstants: Set<UInt32> = []
        var unsignedType: UInt32?
        // The constants zero, one and two, made before the first type that needs them.
        var numbers: [UInt32] = []
        var at = Self.headerWordCount
        while at < given.count {
            let count = Int(given[at] >> 16)
            guard count > 0, at + count <= given.count else { break }
            var instruction = Array(given[at..<at + count])
            at += count
            var opcode = instruction[0] & 0xFFFF
            switch opcode {
            case Opcode.capability where instruction[1] == Self.capability.nvidia:
                instruction[1] = Self.capability.khronos
            case Opcode.extension where Self.text(instruction.dropFirst()) == "SPV_NV_cooperative_matrix":
                instruction = [instruction[0]] + Self.words(of: "SPV_KHR_cooperative_matrix")
            case Opcode.decorate where instruction.count == 4 && instruction[2] == 1:
                // SpecId: the number of a constant that is given when a pipeline is made.
                if let use = Self.scopes.firstIndex(of: instruction[3]) { uses[instruction[1]] = UInt32(use) }
            case Opcode.integerType where instruction[2] == 32 && instruction[3] == 0:
                unsignedType = instruction[1]
            case Opcode.trueConstant: trueConstants.insert(instruction[2])
            case Opcode.type.nvidia:
                if numbers.isEmpty, let unsignedType {
                    for number in 0..<UInt32(3) {
                        words += [4 << 16 | Opcode.constant, unsignedType, nextIdentifier, number]
                        numbers.append(nextIdentifier)
                        nextIdentifier += 1
                    }
                }
                guard let use = uses[instruction[3]], !numbers.isEmpty else { break }
                instruction.append(numbers[Int(use)])
                opcode = Opcode.type.khronos
            case Opcode.load.nvidia:
                // Type, result, pointer, stride, column-major.
                (instruction[4], instruction[5]) =
                    (numbers[trueConstants.contains(instruction[5]) ? 1 : 0], instruction[4])
                opcode = Opcode.load.khronos
            case Opcode.store.nvidia:
                // Pointer, matrix, stride, column-major.
                (instruction[3], instruction[4]) =
                    (numbers[trueConstants.contains(instruction[4]) ? 1 : 0], instruction[3])
                opcode = Opcode.store.khronos
            case Opcode.multiplyAdd.nvidia: opcode = Opcode.multiplyAdd.khronos
            default: break
            }
            instruction[0] = UInt32(instruction.count) << 16 | opcode
            words += instruction
        }
        words[3] = nextIdentifier
    }

    /// A text of bytes, four a word, which zeros end.
    private static func text(_ words: ArraySlice<UInt32>) -> String {
        let bytes = words.flatMap { word in (0..<4).map { UInt8(truncatingIfNeeded: word >> ($0 * 8)) } }
        return String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    }

    private static func words(of text: String) -> [UInt32] {
        var bytes = Array(text.utf8)
        bytes += [UInt8](repeating: 0, count: 4 - bytes.count % 4)
        return stride(from: 0, to: bytes.count, by: 4).map { start in
            (0..<4).reduce(0) { $0 | UInt32(bytes[start + $1]) << UInt32($1 * 8) }
        }
    }
}
