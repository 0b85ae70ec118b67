// A picture's pyramid with the gradients TV-L1 samples, and its brightness by
// blocks. CPU twin: src/motion/pyramid.rs.
//
// `texels` holds the sums of 16 × 16 blocks (four in one vector), then level after
// level, finest first: grey value, its centred x and y gradient and a zero.

struct Pyramid {
    // The level that is made, in pixels, and where its texels begin.
    width: u32,
    height: u32,
    start: u32,
    // The next finer level.
    finer_width: u32,
    finer_height: u32,
    finer_start: u32,
    // Where the taps of this level's columns and rows begin.
    taps_x: u32,
    taps_y: u32,
    // Blocks per side whose sums are kept.
    across: u32,
    down: u32,
}

// Where a resampled row or column reads: the lower index and the share of the next.
struct Tap {
    low: u32,
    share: f32,
}

@group(0) @binding(0) var<uniform> params: Pyramid;
@group(0) @binding(1) var<storage, read_write> texels: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> taps: array<Tap>;
// The picture, 0..255.
@group(0) @binding(3) var<storage, read> grey: array<f32>;

fn picture(x: i32, y: i32) -> f32 {
    let last = vec2<i32>(i32(params.width), i32(params.height)) - 1;
    let at = vec2<u32>(clamp(vec2<i32>(x, y), vec2<i32>(0), last));
    return grey[at.y * params.width + at.x];
}

// The finest level, from the picture.
@compute @workgroup_size(16, 16, 1)
fn pyramid_base(@builtin(global_invocation_id) id: vec3<u32>) {
    if id.x >= params.width || id.y >= params.height {
        return;
    }
    let x = i32(id.x);
    let y = i32(id.y);
    texels[params.start + id.y * params.width + id.x] = vec4<f32>(
        picture(x, y),
        0.5 * (picture(x + 1, y) - picture(x - 1, y)),
        0.5 * (picture(x, y + 1) - picture(x, y - 1)),
        0.0,
    );
}

fn finer(x: u32, y: u32) -> f32 {
    return texels[params.finer_start + y * params.finer_width + x].x;
}

// Bilinear sample of the finer level for a pixel of this one, borders repeated.
fn reduced(x: i32, y: i32) -> f32 {
    let last = vec2<i32>(i32(params.width), i32(params.height)) - 1;
    let at = vec2<u32>(clamp(vec2<i32>(x, y), vec2<i32>(0), last));
    let tx = taps[params.taps_x + at.x];
    let ty = taps[params.taps_y + at.y];
    let x1 = min(tx.low + 1u, params.finer_width - 1u);
    let y1 = min(ty.low + 1u, params.finer_height - 1u);
    let above = finer(tx.low, ty.low) * (1.0 - tx.share) + finer(x1, ty.low) * tx.share;
    let below = finer(tx.low, y1) * (1.0 - tx.share) + finer(x1, y1) * tx.share;
    return above * (1.0 - ty.share) + below * ty.share;
}

// A coarser level, from the one before.
@compute @workgroup_size(16, 16, 1)
fn pyramid(@builtin(global_invocation_id) id: vec3<u32>) {
    if id.x >= params.width || id.y >= params.height {
        return;
    }
    let x = i32(id.x);
    let y = i32(id.y);
    texels[params.start + id.y * params.width + id.x] = vec4<f32>(
        reduced(x, y),
        0.5 * (reduced(x + 1, y) - reduced(x - 1, y)),
        0.5 * (reduced(x, y + 1) - reduced(x, y - 1)),
        0.0,
    );
}

var<workgroup> sums: array<f32, 64>;

// One workgroup sums one block.
@compute @workgroup_size(8, 8, 1)
fn block_sums(
    @builtin(workgroup_id) block: vec3<u32>,
    @builtin(local_invocation_id) local: vec3<u32>,
    @builtin(local_invocation_index) index: u32,
) {
    let size = vec2<u32>(params.width, params.height);
    let blocks = vec2<u32>(params.across, params.down);
    // A pixel belongs to block ⌊position · blocks / size⌋.
    let begin = (block.xy * size + blocks - 1u) / blocks;
    let end = ((block.xy + 1u) * size + blocks - 1u) / blocks;
    var sum = 0.0;
    for (var y = begin.y + local.y; y < end.y; y += 8u) {
        for (var x = begin.x + local.x; x < end.x; x += 8u) {
            sum += grey[y * size.x + x];
        }
    }
    sums[index] = sum;
    workgroupBarrier();
    if index == 0u {
        var total = 0.0;
        for (var i = 0u; i < 64u; i++) {
            total += sums[i];
        }
        let number = block.y * blocks.x + block.x;
        texels[number / 4u][number % 4u] = total;
    }
}
