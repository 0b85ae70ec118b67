// Linearised Eulerian band-pass over a few frames (S0): every output frame is a
// weighted sum of the frames up to it, normalised by the same sum with the
// weights' absolute values. CPU twin: src/motion/cpu/bandpass.rs.

struct Bandpass {
    // Of one frame, in pixels.
    width: u32,
    height: u32,
    // How many frames there are, and the first of them that is filtered.
    frames: u32,
    first: u32,
    // 1: divide by the sum of |weight| · grey, plus 1. 0: do not.
    normalise: u32,
}

@group(0) @binding(0) var<uniform> params: Bandpass;
// Grey values 0..255, frame after frame.
@group(0) @binding(1) var<storage, read> grey: array<f32>;
// weights[input frame · frames + output frame].
@group(0) @binding(2) var<storage, read> weights: array<f32>;
@group(0) @binding(3) var<storage, read_write> filtered: array<f32>;

@compute @workgroup_size(8, 8, 1)
fn bandpass(@builtin(global_invocation_id) id: vec3<u32>) {
    let size = vec2<u32>(params.width, params.height);
    let output = params.first + id.z;
    if any(id.xy >= size) || output >= params.frames {
        return;
    }
    let here = plane_index(size, id.z, id.xy);
    if output == 0u {
        filtered[here] = grey[plane_index(size, 0u, id.xy)];
        return;
    }
    var signal = 0.0;
    var magnitude = 0.0;
    for (var input = 0u; input <= output; input++) {
        let weight = weights[input * params.frames + output];
        let value = grey[plane_index(size, input, id.xy)];
        signal += weight * value;
        magnitude += abs(weight) * value;
    }
    if params.normalise != 0u {
        signal /= magnitude + 1.0;
    }
    filtered[here] = signal;
}
