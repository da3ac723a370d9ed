import Checkpoints
import Foundation
import Networks

extension Model {
    /// The width and height in pixels that a model was trained at: by its configurations, or by the names and shapes in its
    /// file. Neither its weights are read nor its tokenizer.
    ///
    /// - Parameter location: The model's folder or file.
    /// - Throws: What ``init(at:engine:precision:vocabulary:vae:memory:)`` throws for a model whose U-Net and autoencoder are not
    ///   there, or not as they must be.
    public static func trainedSize(at location: URL) throws -> (width: Int, height: Int) {
        var isFolder: ObjCBool = false
        let exists = FileManager.default.fileExists(atPath: location.path, isDirectory: &isFolder)
        let (unet, autoencoder): (Configuration, Configuration)
        if exists, isFolder.boolValue {
            let folder = try ModelFolder(at: location)
            (unet, autoencoder) = (try folder.configuration("unet"), try folder.configuration("vae"))
        } else {
            let file = try SingleFile(Checkpoint(contentsOf: location))
            (unet, autoencoder) = (try file.unet().configuration, try file.autoencoder().configuration)
        }
        let size = try UNetConfiguration(unet)
        let factor = try ModelParts.autoencoder(autoencoder).factor
        return (size.sampleWidth * factor, size.sampleHeight * factor)
    }
}
