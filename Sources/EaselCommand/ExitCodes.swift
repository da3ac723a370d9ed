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
    /// The user or the system ended it.
    static let interrupted = ExitCode(130)

    init(for error: any Error) {
        self =
            switch error {
            case is GenerationError, SamplingError.notFinite: .badInput
            case is RequestError, is SamplingError, is DynamicPromptError, is PromptError, is SweepError,
                PromptStyleError.unknown, is LoRAError, is EmbeddingError, is PullSourceError,
                is ModelFolderMissing, is ValidationError, is LayeredSettingsError:
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
                is GraphError, is DemoModelMissing, is RecordedModelMissing,
                is RecordedAutoencoderMissing,
                is RecordError, is RecordMissing, is PromptStyleError, is SettingsError, is AdapterError,
                is TextualInversionError:
                .badInput
            default: .internalFault
            }
    }
}

/// Runs a command's work; an error is told on standard error and ends the tool with its exit code.
func reportingErrors(_ work: () async throws -> Void) async {
    do { try await work() } catch {
        fflush(nil)
        FileHandle.standardError.write(Data("easel: \(error)\n".utf8))
        leave(ExitCode(for: error))
    }
}

/// Ends the tool where it is; what is unfinished is removed.
///
/// A network may still be compiled in the background, which ending in order would pull the engine's library from under.
func leave(_ code: ExitCode) -> Never {
    UnfinishedOutput.removeAll()
    _exit(code.rawValue)
}
