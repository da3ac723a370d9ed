import ArgumentParser
import Checkpoints
import Conditioning
import Easel
import EaselHub
import EaselServer
import EngineInterface
import Foundation
import Imaging
import Sampling
import TensorGraph

/// What the tool's exit code says, after sysexits.h.
extension ExitCode {
    /// The command's words are wrong.
    static let usage = ExitCode(64)
    /// An input file is wrong.
    static let badInput = ExitCode(65)
    /// A fault of the tool or of what it calls.
    static let internalFault = ExitCode(70)
    /// An engine that is needed is not there, or a service cannot be reached.
    static let unavailable = ExitCode(69)
    /// The output cannot be written.
    static let output = ExitCode(74)

    init(for error: any Error) {
        self =
            switch error {
            case is GenerationError, SamplingError.notFinite: .badInput
            case is RequestError, is SamplingError, is DynamicPromptError, is PromptError, is SweepError,
                PromptStyleError.unknown, is LoRAError, is EmbeddingError, is PullSourceError,
                is ModelFolderMissing, is ValidationError:
                .usage
            case let error as EngineError:
                switch error {
                case .unavailable, .unsupportedPrecision, .noMemory, .noDeviceMemory, .deviceLost:
                    .unavailable
                case .inputMismatch, .failed: .internalFault
                }
            case ServerStartError.tokenMissing: .usage
            case ServerStartError.inUse, ServerStartError.address: .unavailable
            case ServerStartError.unwritable: .output
            case ServerStartError.damagedDatabase, is SettingsFileError: .badInput
            case HubError.unwritable: .output
            case HubError.status, HubError.busy, HubError.connection, HubError.untrusted: .unavailable
            case is HubError: .badInput
            case ImageError.notReadable: .badInput
            case is ImageError, FileError.unwritable: .output
            case is FileError, is JSONError, is ConfigurationError, is SafetensorsError, is CheckpointError,
                is ModelFolderError, is ModelError, is TorchError, is GGUFError, is VocabularyMissing,
                is TokenizerError,
                is GraphError, is DemoModelMissing,
                is RecordError, is PromptStyleError, is SettingsError, is AdapterError,
                is TextualInversionError:
                .badInput
            default: .internalFault
            }
    }
}

/// Runs a command's work; an error is told on standard error and becomes the exit code.
func reportingErrors<T>(_ work: () async throws -> T) async throws -> T {
    do { return try await work() } catch { throw report(error) }
}

/// Tells of the error, and gives its exit code.
private func report(_ error: any Error) -> ExitCode {
    FileHandle.standardError.write(Data("easel: \(error)\n".utf8))
    return ExitCode(for: error)
}
