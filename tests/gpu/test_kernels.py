"""Where the time of a step went, by a trace as torch's profiler writes it."""

from typing import Any

import pytest

from tests.gpu.kernels import ATTENTION, GAPS, GEMM, OTHER, POINTWISE, breakdown, kind_of


def event(name: str, category: str, begin: float, took: float, lane: int = 7) -> dict[str, Any]:
    """Make one of the trace's events; microseconds."""
    return {"ph": "X", "cat": category, "name": name, "ts": begin, "dur": took, "pid": 0, "tid": lane}


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("nvjet_tst_128x256_64x4_2x1_v_bz_coopA_TNT", GEMM),
        ("sm90_xmma_gemm_bf16bf16_bf16f32_f32_tn_n_tilesize128x128x64_warpgroupsize1x1x1", GEMM),
        ("void cutlass::device_kernel<at::cuda::detail::enable_3x_kernel_for_sm9x<cutlass::gemm::kernel::Gemm", GEMM),
        (
            "void cutlass::device_kernel<flash::enable_sm90_or_later<flash::FlashAttnFwdSm90<flash::Collective",
            ATTENTION,
        ),
        ("cudnn_generated_fort_native_sdpa_sm90_flash_fprop_wgmma_f16_knob_7_64x128x128_4x1x1", ATTENTION),
        ("void pytorch_flash::flash_fwd_kernel<pytorch_flash::Flash_fwd_kernel_traits<128, 128, 64, 4", ATTENTION),
        ("fmha_cutlassF_bf16_aligned_64x128_rf_sm80(PyTorchMemEffAttention::AttentionKernel", ATTENTION),
        ("triton_red_fused_abs_amax_clamp_div_native_layer_norm_3", POINTWISE),
        ("triton_poi_fused_gelu_4", POINTWISE),
        ("void at::native::vectorized_elementwise_kernel<4, at::native::FillFunctor<float>", POINTWISE),
        ("Memcpy DtoD (Device -> Device)", OTHER),
        ("void at::native::(anonymous namespace)::CatArrayBatchedCopy<at::native", OTHER),
        ("aten::addmm", GEMM),
        ("aten::_scaled_mm", GEMM),
        ("aten::mul", POINTWISE),
        ("## Call CompiledFxGraph f5d4jntxgvjosjp7pk4ftuxh5 ##", POINTWISE),
        ("aten::_scaled_dot_product_flash_attention_for_cpu", ATTENTION),
    ],
)
def test_a_kernels_name_tells_what_it_does(name: str, kind: str) -> None:
    """Names are those of Hopper's kernels and of torch's operators; FlashAttention's are CUTLASS's, too."""
    assert kind_of(name) == kind


def test_a_gpus_step_is_its_kernels_and_the_gaps_between_them() -> None:
    """What encloses kernels and what the host does counts for nothing; kernels that overlap leave no gap."""
    trace = {
        "traceEvents": [
            {"ph": "M", "name": "process_name"},
            event("ProfilerStep", "gpu_user_annotation", 0, 1000),
            event("aten::addmm", "cpu_op", 0, 900),
            event("nvjet_a", "kernel", 100, 300),
            event("nvjet_a", "kernel", 400, 200),
            event("triton_poi_fused_0", "kernel", 550, 100, lane=8),
            event("flash_fwd", "kernel", 700, 100),
            event("Memcpy DtoD", "gpu_memcpy", 800, 100),
        ]
    }
    found = breakdown(trace)
    assert found.span == pytest.approx(800e-6)
    microseconds = {kind: round(1e6 * seconds, 3) for kind, seconds in found.kinds.items()}
    assert microseconds == {GEMM: 500, ATTENTION: 100, POINTWISE: 100, OTHER: 100, GAPS: 50}
    longest = found.kernels[0]
    assert (longest.name, longest.kind, longest.times) == ("nvjet_a", GEMM, 2)
    assert longest.seconds == pytest.approx(500e-6)


def test_of_a_cpu_an_operator_counts_without_those_that_it_calls() -> None:
    """Where there is no kernel operators stand for them, each thread's by itself."""
    trace = {
        "traceEvents": [
            event("aten::linear", "cpu_op", 0, 100),
            event("aten::addmm", "cpu_op", 10, 80),
            event("aten::mul", "cpu_op", 150, 50),
            event("aten::mul", "cpu_op", 20, 50, lane=8),
        ]
    }
    found = breakdown(trace)
    seconds = {kernel.name: round(1e6 * kernel.seconds, 3) for kernel in found.kernels}
    assert seconds == {"aten::linear": 20, "aten::addmm": 80, "aten::mul": 100}
    assert found.kinds[GAPS] == pytest.approx(50e-6)


def test_an_empty_trace_is_no_step_without_kernels() -> None:
    """Where the profiler saw nothing that is said, and no table of zeros is made."""
    with pytest.raises(ValueError, match="the profiler saw nothing"):
        breakdown({"traceEvents": []})
