import Foundation
import TensorGraph

/// The embeddings that a word was taught (textual inversion, Gal et al. 2022, arXiv 2208.01618), of files by
/// AUTOMATIC1111, diffusers, kohya and the first authors.
public struct TextualInversion: Sendable {
    /// Its file.
    public let path: String
    /// The word that the file itself says.
    public let word: String?
    /// How many embeddings the word has.
    public let count: Int
    /// The size of an embedding in each text encoder that the file has one for.
    public var widths: [Int] { matrices.map(\.width) }
    private let matrices: [Matrix]

    struct Matrix: Sendable {
        /// Which text encoder it is for, where the file says.
        let encoder: String?
        let width: Int
        let values: [Float]
    }

    /// More embeddings than a prompt of a few chunks has tokens are none of a word.
    static let countLimit = 512
    /// The largest text encoders of picture models have embeddings of half as many numbers.
    static let widthLimit = 8192

    /// The size of an embedding in a matrix of them, or in one alone; nil for what can be neither.
    static func width(_ shape: Shape) -> Int? {
        guard (1...2).contains(shape.rank), let width = shape.dimensions.last,
            (1...widthLimit).contains(width), shape.rank == 1 || (1...countLimit).contains(shape[0])
        else { return nil }
        return width
    }

    /// Names of matrices that say which text encoder they are for, and CLIP's own name of it.
    private static let encoders = [
        "clip_l": "clip_l", "clip_g": "clip_g", "text_encoders_0": "clip_l", "text_encoders_1": "clip_g",
    ]
    /// Names that no word has.
    private static let unnamed: Set<String> = ["emb_params", "tensor", "*"]

    /// Reads the whole file.
    ///
    /// - Throws: ``FileError``, ``SafetensorsError``, ``TorchError``, ``TextualInversionError``.
    public init(contentsOf url: URL) throws {
        let checkpoint = try Checkpoint(contentsOf: url)
        let path = checkpoint.origin
        self.path = path
        let parameters = checkpoint.names.filter { $0.hasPrefix(Self.parameterPrefix) }
        let named = checkpoint.names.filter { Self.encoders[$0] != nil }
        var names = parameters.isEmpty ? (named.isEmpty ? checkpoint.names : named) : parameters
        // The optimizer's state may be beside them.
        names.removeAll { $0.hasPrefix("string_to_token.") }
        guard names.count == 1 || names.count == 2 && !named.isEmpty else {
            throw TextualInversionError.notOne(path: path, names: checkpoint.names.sorted())
        }
        for name in names.sorted() {
            guard let shape = checkpoint.entry(named: name)?.shape, Self.width(shape) == nil else { continue }
            throw TextualInversionError.shape(path: path, tensor: name, shape: shape)
        }
        let mapped = try checkpoint.map(Set(names), additionalBytes: 0)
        var matrices: [Matrix] = []
        var counts: Set<Int> = []
        for name in names.sorted() {
            guard let entry = checkpoint.entry(named: name), let width = Self.width(entry.shape),
                let values = mapped.floats(of: name, entry)
            else { throw TextualInversionError.notOne(path: path, names: checkpoint.names.sorted()) }
            guard values.allSatisfy(\.isFinite) else {
                throw TextualInversionError.notFinite(path: path, tensor: name)
            }
            counts.insert(values.count / width)
            matrices.append(Matrix(encoder: Self.encoders[name], width: width, values: values))
        }
        try mapped.validate()
        try checkpoint.validateChecksums()
        guard let count = counts.first, counts.count == 1 else {
            throw TextualInversionError.counts(path: path, counts: counts.sorted())
        }
        self.count = count
        self.matrices = matrices
        let said =
            parameters.isEmpty
            ? (named.isEmpty && !Self.unnamed.contains(names[0]) ? names[0] : nil)
            : checkpoint.metadata["name"]
        word = said.flatMap { $0.isEmpty ? nil : $0 }
    }

    private static let parameterPrefix = "string_to_param."

    /// A word of a file of several.
    ///
    /// - Returns: Nil where the text encoders have different numbers of embeddings.
    init?(path: String, word: String, _ matrices: [Matrix]) {
        let counts = Set(matrices.map { $0.values.count / $0.width })
        guard let count = counts.first, counts.count == 1 else { return nil }
        self.path = path
        self.word = word
        self.count = count
        self.matrices = matrices
    }

    /// The embeddings as text encoders take them.
    ///
    /// - Parameter widths: The size of an embedding in each of the model's text encoders.
    /// - Returns: For each text encoder, one embedding after the other.
    /// - Throws: ``TextualInversionError/wrongWidth(path:widths:model:)``.
    public func embeddings(widths: [Int]) throws(TextualInversionError) -> [[Float]] {
        let fitting = widths.compactMap { width in matrices.first { $0.width == width }?.values }
        guard fitting.count == widths.count else {
            throw .wrongWidth(path: path, widths: matrices.map(\.width), model: widths)
        }
        return fitting
    }
}

/// Why a file of a word's embeddings cannot be used.
public enum TextualInversionError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The file has no embeddings, or those of several words.
    case notOne(path: String, names: [String])
    /// A tensor has more axes, embeddings or numbers than a word's, or none.
    case shape(path: String, tensor: String, shape: Shape)
    /// The matrices of the text encoders have different numbers of rows.
    case counts(path: String, counts: [Int])
    /// The embeddings have a size that the model's text encoders do not take.
    case wrongWidth(path: String, widths: [Int], model: [Int])
    /// A number is not one.
    case notFinite(path: String, tensor: String)

    public var description: String {
        func list(_ numbers: [Int]) -> String { numbers.map { "\($0)" }.joined(separator: " and ") }
        return switch self {
        case .notOne(let path, let names):
            "\(path): not the embeddings of a word (textual inversion): expected one matrix, or one for each of "
                + "two text encoders; there are \(names.count) tensors "
                + "(\(names.prefix(3).map(\.quoted).joined(separator: ", "))\(names.count > 3 ? ", …" : ""))"
        case .shape(let path, let tensor, let shape):
            "\(path): not the embeddings of a word (textual inversion): \(tensor.quoted) is \(shape), where a word has "
                + "1 to \(TextualInversion.countLimit) embeddings of at most \(TextualInversion.widthLimit) numbers"
        case .counts(let path, let counts):
            "\(path): the word has \(list(counts)) embeddings, where each text encoder needs as many"
        case .wrongWidth(let path, let widths, let model):
            "\(path): the word's embeddings are of \(list(widths)) numbers, the model's of \(list(model)); "
                + "they are for another model"
        case .notFinite(let path, let tensor): "\(path): \(tensor.quoted) has a number that is not finite"
        }
    }
}
