// Luma and chroma as cameras and decoders deliver them to RGB, in whole numbers, so
// that the CPU twin (src/media/yuv/mod.rs) gives the same bytes.

struct Yuv {
    // In pixels.
    width: u32,
    height: u32,
    // Bytes: of a row, to the next sample, and where the first one lies.
    luma_row: u32,
    luma_step: u32,
    luma_start: u32,
    chroma_row: u32,
    chroma_step: u32,
    blue_start: u32,
    red_start: u32,
    // Samples, and how many luma pixels share one: 1 << halved.
    chroma_width: u32,
    chroma_height: u32,
    halved_x: u32,
    halved_y: u32,
    // 1: chroma is interpolated between its samples. 0: it is repeated.
    interpolated: u32,
    // 16-bit fixed point.
    black: i32,
    luma: i32,
    red_from_red: i32,
    green_from_blue: i32,
    green_from_red: i32,
    blue_from_blue: i32,
}

@group(0) @binding(0) var<uniform> params: Yuv;
// Four bytes a word, the first lowest.
@group(0) @binding(1) var<storage, read> bytes: array<u32>;
// A word a pixel: red lowest, green, blue, 255.
@group(0) @binding(2) var<storage, read_write> rgba: array<u32>;

fn byte_at(index: u32) -> i32 {
    return i32((bytes[index / 4u] >> (index % 4u * 8u)) & 255u);
}

fn chroma_at(start: u32, x: u32, y: u32) -> i32 {
    return byte_at(start + y * params.chroma_row + x * params.chroma_step);
}

// The next sample on the side of pixel `at`, within the picture.
fn beside(at: u32, sample: u32, count: u32, halved: u32) -> u32 {
    if halved == 0u {
        return sample;
    }
    if (at & 1u) == 0u {
        return max(sample, 1u) - 1u;
    }
    return min(sample + 1u, count - 1u);
}

// Chroma at a pixel about its middle, in sixteenths: a pixel lies a quarter of the
// way from the middle of its sample to the next.
fn chroma(start: u32, pixel: vec2<u32>) -> i32 {
    let x = pixel.x >> params.halved_x;
    let y = pixel.y >> params.halved_y;
    if params.interpolated == 0u {
        return 16 * (chroma_at(start, x, y) - 128);
    }
    let x1 = beside(pixel.x, x, params.chroma_width, params.halved_x);
    let y1 = beside(pixel.y, y, params.chroma_height, params.halved_y);
    let here = 3 * chroma_at(start, x, y) + chroma_at(start, x1, y);
    let next = 3 * chroma_at(start, x, y1) + chroma_at(start, x1, y1);
    return 3 * here + next - 16 * 128;
}

// Sixteenths of 16-bit fixed point, rounded to the nearest.
fn level(value: i32) -> u32 {
    return u32(clamp((value + (1 << 19u)) >> 20u, 0, 255));
}

@compute @workgroup_size(16, 16, 1)
fn yuv(@builtin(global_invocation_id) id: vec3<u32>) {
    if id.x >= params.width || id.y >= params.height {
        return;
    }
    let at = params.luma_start + id.y * params.luma_row + id.x * params.luma_step;
    let grey = 16 * (byte_at(at) - params.black) * params.luma;
    let blue = chroma(params.blue_start, id.xy);
    let red = chroma(params.red_start, id.xy);
    let r = level(grey + params.red_from_red * red);
    let g = level(grey - params.green_from_blue * blue - params.green_from_red * red);
    let b = level(grey + params.blue_from_blue * blue);
    rgba[id.y * params.width + id.x] = r | (g << 8u) | (b << 16u) | (255u << 24u);
}
