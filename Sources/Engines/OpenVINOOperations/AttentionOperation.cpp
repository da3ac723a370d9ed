// Operations of Easel's own in OpenVINO's graphs: what `ov_core_add_extension` loads.
#include <openvino/core/extension.hpp>
#include <openvino/core/op_extension.hpp>
#include <openvino/op/op.hpp>

#include "FlashAttention.h"

namespace {

// Attention of bfloat16 tensors [batch, tokens, heads, size]: queries, keys and values to results.
class Attention : public ov::op::Op {
public:
    OPENVINO_OP("Attention", "easel");

    Attention() = default;
    Attention(const ov::OutputVector &inputs, float scale, bool integers, std::int64_t threads)
        : Op(inputs), scale(scale), integers(integers), threads(threads) {
        constructor_validate_and_infer_types();
    }

    void validate_and_infer_types() override {
        OPENVINO_ASSERT(get_input_size() == 3, "attention takes queries, keys and values");
        for (std::size_t index = 0; index < 3; index++) {
            OPENVINO_ASSERT(
                get_input_partial_shape(index).is_static() && get_input_shape(index).size() == 4
                    && get_input_element_type(index) == ov::element::bf16,
                "attention takes bfloat16 tensors of four axes");
        }
        const auto &queries = get_input_shape(0), &keys = get_input_shape(1);
        OPENVINO_ASSERT(
            keys == get_input_shape(2) && queries[0] == keys[0] && queries[2] == keys[2] && queries[3] == keys[3],
            "queries, keys and values do not fit each other");
        set_output_type(0, ov::element::bf16, queries);
    }

    std::shared_ptr<ov::Node> clone_with_new_inputs(const ov::OutputVector &inputs) const override {
        return std::make_shared<Attention>(inputs, scale, integers, threads);
    }

    bool visit_attributes(ov::AttributeVisitor &visitor) override {
        visitor.on_attribute("scale", scale);
        visitor.on_attribute("integers", integers);
        visitor.on_attribute("threads", threads);
        return true;
    }

    bool has_evaluate() const override { return true; }

    bool evaluate(ov::TensorVector &outputs, const ov::TensorVector &inputs) const override {
        const auto queries = inputs[0].get_shape();
        const easel::AttentionShape shape{queries[0], queries[2], queries[1], inputs[1].get_shape()[1], queries[3]};
        if (!easel::canAttend(shape)) return false;
        outputs[0].set_shape(queries);
        const auto attend = integers && easel::canAttendInIntegers(shape) ? easel::attendInIntegers : easel::attend;
        attend(
            shape, scale, numbers(inputs[0]), numbers(inputs[1]), numbers(inputs[2]),
            static_cast<easel::bfloat16 *>(outputs[0].data()), static_cast<unsigned>(threads));
        return true;
    }

private:
    static const easel::bfloat16 *numbers(const ov::Tensor &tensor) {
        return static_cast<const easel::bfloat16 *>(tensor.data());
    }

    float scale = 1;
    // Whether 8-bit integers may take the numbers' place, where the processor has products of them.
    bool integers = false;
    std::int64_t threads = 1;
};

}  // namespace

OPENVINO_CREATE_EXTENSIONS(std::vector<ov::Extension::Ptr>{std::make_shared<ov::OpExtension<Attention>>()});
