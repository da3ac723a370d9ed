import COpenVINOLoader
import EngineInterface
import Foundation
import TensorGraph

/// OpenVINO's C library, opened once. This file is the only one that calls it.
struct OpenVINOLibrary: @unchecked Sendable {
    private let functions: easel_openvino
    private let core: OpaquePointer
    /// Whether the operations of `Engines/OpenVINOOperations` are there.
    let hasOwnOperations: Bool

    /// The library, or why there is none.
    static let shared = Result<OpenVINOLibrary, EngineError> { () throws(EngineError) in
        try OpenVINOLibrary()
    }

    private init() throws(EngineError) {
        var functions = easel_openvino()
        func unavailable(_ reason: String) -> EngineError {
            .unavailable(
                engine: "openvino", reason: reason,
                remedy: "Install it with `make build` in Easel's folder, or OpenVINO 2024.1 or later from "
                    + "https://docs.openvino.ai (Homebrew: brew install openvino).")
        }
        if let reason = easel_openvino_load(&functions) { throw unavailable(String(cString: reason)) }
        self.functions = functions
        var core: OpaquePointer?
        guard functions.ov_core_create(&core) == OK, let core else {
            throw unavailable("it could not be started (\(functions.lastError))")
        }
        self.core = core
        hasOwnOperations = withUnsafePointer(to: functions) { easel_openvino_add_operations($0, core) }
    }

    /// Whether the device computes in the precision without emulation.
    func hasNative(_ precision: Precision, device: String) -> Bool {
        switch precision {
        case .automatic, .float32: return true
        case .bfloat16:
            return device == "CPU" ? easel_processor_has_bfloat16() : capabilities(device).contains("BF16")
        case .float16: return capabilities(device).contains("FP16")
        case .int8: return capabilities(device).contains("INT8")
        }
    }

    private func capabilities(_ device: String) -> [Substring] {
        var value: UnsafeMutablePointer<CChar>?
        guard functions.ov_core_get_property(core, device, "OPTIMIZATION_CAPABILITIES", &value) == OK,
            let value
        else { return [] }
        defer { functions.ov_free(value) }
        return String(cString: value).split { $0 == " " || $0 == "," }
    }

    /// Reads a model and makes it ready to run.
    ///
    /// `weights` must stay where it is as long as the request lives.
    func compile(
        _ xml: String, weights: UnsafeMutableRawBufferPointer, device: String, precision: Precision,
        threads: Int?, graph: String
    ) throws(EngineError) -> InferenceRequest {
        func check(_ status: ov_status_e) throws(EngineError) {
            guard status == OK else { throw failure(graph) }
        }
        var tensor: OpaquePointer?
        try check(makeTensor(weights.baseAddress, U8, [weights.count], &tensor))
        defer { functions.ov_tensor_free(tensor) }
        var model: OpaquePointer?
        var text = xml
        let status = text.withUTF8 { bytes in
            bytes.withMemoryRebound(to: CChar.self) {
                functions.ov_core_read_model_from_memory_buffer(
                    core, $0.baseAddress, $0.count, tensor, &model)
            }
        }
        try check(status)
        defer { functions.ov_model_free(model) }
        var compiled: OpaquePointer?
        let compilation = withUnsafePointer(to: functions) {
            easel_openvino_compile(
                $0, core, model, device, precision.rawValue, String(threads ?? 0), &compiled)
        }
        // What compiling took beside its result.
        defer { easel_return_freed_memory() }
        try check(compilation)
        var request: OpaquePointer?
        let creation = functions.ov_compiled_model_create_infer_request(compiled, &request)
        guard creation == OK, let compiled, let request else {
            functions.ov_compiled_model_free(compiled)
            throw failure(graph)
        }
        return InferenceRequest(library: self, compiled: compiled, request: request, graph: graph)
    }

    fileprivate func failure(_ graph: String) -> EngineError {
        let reason = functions.lastError
        // What OpenVINO says where the system, or C++, has no memory for it.
        if ["bad_alloc", "Failed to allocate"].contains(where: reason.contains) {
            return .noMemory(engine: "openvino", graph: graph)
        }
        return .failed(engine: "openvino", graph: graph, reason: reason)
    }

    private func makeTensor(
        _ memory: UnsafeMutableRawPointer?, _ type: ov_element_type_e, _ dimensions: [Int],
        _ tensor: inout OpaquePointer?
    ) -> ov_status_e {
        var dimensions = dimensions.map(Int64.init)
        return dimensions.withUnsafeMutableBufferPointer {
            let shape = ov_shape_t(rank: Int64($0.count), dims: $0.baseAddress)
            return functions.ov_tensor_create_from_host_ptr(type, shape, memory, &tensor)
        }
    }

    /// A compiled model with the one request that it is run by. Not for use by two threads at once.
    final class InferenceRequest {
        private let library: OpenVINOLibrary
        private let compiled: OpaquePointer
        private let request: OpaquePointer
        private let graph: String

        fileprivate init(
            library: OpenVINOLibrary, compiled: OpaquePointer, request: OpaquePointer, graph: String
        ) {
            self.library = library
            self.compiled = compiled
            self.request = request
            self.graph = graph
        }

        deinit {
            library.functions.ov_infer_request_free(request)
            library.functions.ov_compiled_model_free(compiled)
            easel_return_freed_memory()
        }

        /// How long the library is waited for before the task is asked whether it is cancelled.
        private static let pollMilliseconds: Int64 = 20

        /// Runs the model on the memory of `inputs`, writing to the memory of new tensors.
        ///
        /// - Throws: ``EngineError``, or `CancellationError` soon after `isCancelled` becomes true.
        func run(_ inputs: [HostTensor], outputs: [TensorType], isCancelled: () -> Bool) throws
            -> [HostTensor]
        {
            try bind(inputs[...], at: 0) { try self.produce(outputs[...], at: 0, isCancelled: isCancelled) }
        }

        private func bind(
            _ inputs: ArraySlice<HostTensor>, at index: Int, then body: () throws -> [HostTensor]
        )
            throws -> [HostTensor]
        {
            guard let first = inputs.first else { return try body() }
            func bound(_ memory: UnsafeRawBufferPointer, _ type: ov_element_type_e) throws -> [HostTensor] {
                try attach(
                    UnsafeMutableRawPointer(mutating: memory.baseAddress), type, first.shape, index,
                    library.functions.ov_infer_request_set_input_tensor_by_index)
                return try bind(inputs.dropFirst(), at: index + 1, then: body)
            }
            switch first.elements {
            case .float32(let values): return try values.withUnsafeBytes { try bound($0, F32) }
            case .int32(let values): return try values.withUnsafeBytes { try bound($0, I32) }
            }
        }

        private func produce(_ outputs: ArraySlice<TensorType>, at index: Int, isCancelled: () -> Bool) throws
            -> [HostTensor]
        {
            guard let first = outputs.first else {
                try infer(isCancelled: isCancelled)
                return []
            }
            var rest: [HostTensor] = []
            func fill<T>(_ buffer: UnsafeMutableBufferPointer<T>, _ type: ov_element_type_e) throws {
                try attach(
                    buffer.baseAddress, type, first.shape, index,
                    library.functions.ov_infer_request_set_output_tensor_by_index)
                rest = try produce(outputs.dropFirst(), at: index + 1, isCancelled: isCancelled)
            }
            let count = first.shape.count
            if first.elementType == .int32 {
                let values = try [Int32](unsafeUninitializedCapacity: count) { buffer, initialized in
                    try fill(buffer, I32)
                    initialized = count
                }
                return [HostTensor(values, shape: first.shape)] + rest
            }
            let values = try [Float](unsafeUninitializedCapacity: count) { buffer, initialized in
                try fill(buffer, F32)
                initialized = count
            }
            return [HostTensor(values, shape: first.shape)] + rest
        }

        private func attach(
            _ memory: UnsafeMutableRawPointer?, _ type: ov_element_type_e, _ shape: Shape, _ index: Int,
            _ set: (OpaquePointer?, Int, OpaquePointer?) -> ov_status_e
        ) throws {
            var tensor: OpaquePointer?
            guard library.makeTensor(memory, type, shape.dimensions, &tensor) == OK else {
                throw library.failure(graph)
            }
            defer { library.functions.ov_tensor_free(tensor) }
            guard set(request, index, tensor) == OK else { throw library.failure(graph) }
        }

        private func infer(isCancelled: () -> Bool) throws {
            if isCancelled() { throw CancellationError() }
            guard library.functions.ov_infer_request_start_async(request) == OK else {
                throw library.failure(graph)
            }
            var wasCancelled = false
            while true {
                let status = library.functions.ov_infer_request_wait_for(request, Self.pollMilliseconds)
                if status == RESULT_NOT_READY {
                    if !wasCancelled && isCancelled() {
                        wasCancelled = true
                        _ = library.functions.ov_infer_request_cancel(request)
                    }
                    continue
                }
                if wasCancelled { throw CancellationError() }
                guard status == OK else { throw library.failure(graph) }
                return
            }
        }
    }
}

extension easel_openvino {
    /// What the library said of its last failure, which may be another request's where two fail at once.
    fileprivate var lastError: String {
        guard let message = ov_get_last_err_msg() else { return "no reason given" }
        defer { ov_free(message) }
        return String(cString: message)
    }
}
