/// Why a path is not a model that can be read, or lacks a part.
public enum ModelFolderError: Error, Sendable, Hashable, CustomStringConvertible {
    case missing(path: String)
    /// The path is a file's, as of a single-file checkpoint.
    case notAFolder(path: String)
    /// The folder has no `model_index.json`.
    case noIndex(path: String)
    /// The model does not declare the component.
    case missingComponent(String, index: String, present: [String])
    /// The component is declared, but its folder is not there.
    case missingComponentFolder(String, path: String)
    /// A component's file is not there under any of its names.
    case missingFile(component: String, folder: String, lookedFor: [String])
    /// There are only variants, and none that is taken unasked.
    case severalVariants(folder: String, variants: [String])

    public var description: String {
        switch self {
        case .missing(let path):
            "\(path): there is no such model; give the path of a model's folder or of its file"
        case .notAFolder(let path):
            "\(path): this is a file, where a folder in the layout of diffusers (model_index.json, unet/, vae/, "
                + "text_encoder/, …) is expected"
        case .noIndex(let path):
            "\(path): not a model: there is no model_index.json. Give the folder that has model_index.json, "
                + "unet/ and vae/ in it; in the Hugging Face cache that is "
                + "models--<owner>--<name>/snapshots/<revision>"
        case .missingComponent(let component, let index, let present):
            "\(index): the model has no component \(component.quoted); it has "
                + (present.isEmpty ? "none" : present.map(\.quoted).joined(separator: ", "))
        case .missingComponentFolder(let component, let path):
            "\(path): the model's component \(component.quoted) is missing; download the model completely"
        case .missingFile(let component, let folder, let lookedFor):
            "\(folder): the component \(component.quoted) has no "
                + lookedFor.joined(separator: " or ") + "; download the model completely"
        case .severalVariants(let folder, let variants):
            "\(folder): there are only variants of the weights (\(variants.joined(separator: ", "))); "
                + "name the one to load"
        }
    }
}
