// Eulerian motion magnification (Wu et al. 2012): Laplacian pyramid, two one-pole
// low-passes at every place, their difference times the level's gain added to the
// picture. Pyramid pixels are red, green, blue of 0..1 and 0; the levels from the
// second finest on lie one after another in each buffer.
// CPU twin: src/motion/cpu/magnify.rs.

struct Level {
    width: u32,
    height: u32,
    // Of its first pixel in the buffers.
    offset: u32,
    alpha: f32,
}

struct Magnify {
    // Of the picture, in pixels.
    width: u32,
    height: u32,
    // Entries of `level` in use; the last is the residual.
    levels: u32,
    // 1: the filters take this picture as having lasted for ever.
    start: u32,
    fast: f32,
    slow: f32,
    spare: vec2<u32>,
    // Attenuates the chroma of a change; rows of a 3×3 matrix.
    chroma: array<vec4<f32>, 3>,
    level: array<Level, 16>,
}

@group(0) @binding(0) var<uniform> params: Magnify;
// halve, filter: the level that is written; tail: the first of its levels.
@group(0) @binding(1) var<uniform> current: vec4<u32>;
// 8-bit red in the lowest byte, green, blue; row by row.
@group(0) @binding(1) var<storage, read> picture: array<u32>;
@group(0) @binding(2) var<storage, read_write> blurred: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> fast: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> slow: array<vec4<f32>>;
// Magnified change of a level and all coarser ones.
@group(0) @binding(5) var<storage, read_write> change: array<vec4<f32>>;
// The same for the last step, which only reads it.
@group(0) @binding(2) var<storage, read> whole_change: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> magnified: array<u32>;

const BINOMIAL = array<f32, 5>(0.0625, 0.25, 0.375, 0.25, 0.0625);

// Mirrors a position outside 0..n at the first or last pixel, which is not doubled.
fn mirrored(at: i32, n: u32) -> u32 {
    let last = i32(n) - 1;
    var inside = abs(at);
    if inside > last {
        inside = 2 * last - inside;
    }
    return u32(clamp(inside, 0, last));
}

// Where a coarse row or column outside 0..coarse comes from, when the zeros between
// the coarse pixels are mirrored at the border of the fine picture.
fn mirrored_coarse(at: i32, coarse: u32, fine: u32) -> u32 {
    return min(mirrored(2 * at, fine) / 2u, coarse - 1u);
}

// The coarse pixels that a fine one is made of, along one axis.
struct Taps {
    at: vec3<u32>,
    weight: vec3<f32>,
}

fn taps(fine_at: u32, coarse: u32, fine: u32) -> Taps {
    let middle = i32(fine_at / 2u);
    let next = mirrored_coarse(middle + 1, coarse, fine);
    if fine_at % 2u == 0u {
        let before = mirrored_coarse(middle - 1, coarse, fine);
        return Taps(vec3<u32>(before, u32(middle), next), vec3<f32>(0.125, 0.75, 0.125));
    }
    return Taps(vec3<u32>(u32(middle), next, next), vec3<f32>(0.5, 0.5, 0.0));
}

// A level of the Gaussian pyramid at twice its size.
fn enlarged_blurred(coarse: Level, fine: vec2<u32>, pixel: vec2<u32>) -> vec4<f32> {
    let across = taps(pixel.x, coarse.width, fine.x);
    let down = taps(pixel.y, coarse.height, fine.y);
    var sum = vec4<f32>(0.0);
    for (var j = 0u; j < 3u; j++) {
        let row = coarse.offset + down.at[j] * coarse.width;
        var line = vec4<f32>(0.0);
        for (var i = 0u; i < 3u; i++) {
            line += across.weight[i] * blurred[row + across.at[i]];
        }
        sum += down.weight[j] * line;
    }
    return sum;
}

// The same of the change.
fn enlarged_change(coarse: Level, fine: vec2<u32>, pixel: vec2<u32>) -> vec4<f32> {
    let across = taps(pixel.x, coarse.width, fine.x);
    let down = taps(pixel.y, coarse.height, fine.y);
    var sum = vec4<f32>(0.0);
    for (var j = 0u; j < 3u; j++) {
        let row = coarse.offset + down.at[j] * coarse.width;
        var line = vec4<f32>(0.0);
        for (var i = 0u; i < 3u; i++) {
            line += across.weight[i] * change[row + across.at[i]];
        }
        sum += down.weight[j] * line;
    }
    return sum;
}

fn rgb(packed: u32) -> vec4<f32> {
    return vec4<f32>(unpack4x8unorm(packed).xyz, 0.0);
}

// The first level: the picture at half its size.
@compute @workgroup_size(8, 8, 1)
fn halve_picture(@builtin(global_invocation_id) id: vec3<u32>) {
    let level = params.level[0];
    if id.x >= level.width || id.y >= level.height {
        return;
    }
    var sum = vec4<f32>(0.0);
    for (var j = 0; j < 5; j++) {
        let row = mirrored(2 * i32(id.y) + j - 2, params.height) * params.width;
        var line = vec4<f32>(0.0);
        for (var i = 0; i < 5; i++) {
            let x = mirrored(2 * i32(id.x) + i - 2, params.width);
            line += BINOMIAL[i] * rgb(picture[row + x]);
        }
        sum += BINOMIAL[j] * line;
    }
    blurred[level.offset + id.y * level.width + id.x] = sum;
}

fn halve_to(to: u32, pixel: vec2<u32>) {
    let fine = params.level[to - 1u];
    let level = params.level[to];
    var sum = vec4<f32>(0.0);
    for (var j = 0; j < 5; j++) {
        let row = fine.offset + mirrored(2 * i32(pixel.y) + j - 2, fine.height) * fine.width;
        var line = vec4<f32>(0.0);
        for (var i = 0; i < 5; i++) {
            line += BINOMIAL[i] * blurred[row + mirrored(2 * i32(pixel.x) + i - 2, fine.width)];
        }
        sum += BINOMIAL[j] * line;
    }
    blurred[level.offset + pixel.y * level.width + pixel.x] = sum;
}

// A level from the next finer one.
@compute @workgroup_size(8, 8, 1)
fn halve(@builtin(global_invocation_id) id: vec3<u32>) {
    let level = params.level[current.x];
    if id.x >= level.width || id.y >= level.height {
        return;
    }
    halve_to(current.x, id.xy);
}

fn filter_at(at: u32, pixel: vec2<u32>) {
    let level = params.level[at];
    let coarse = params.level[at + 1u];
    let size = vec2<u32>(level.width, level.height);
    let here = level.offset + pixel.y * level.width + pixel.x;
    let detail = blurred[here] - enlarged_blurred(coarse, size, pixel);
    if params.start != 0u {
        fast[here] = detail;
        slow[here] = detail;
        change[here] = vec4<f32>(0.0);
        return;
    }
    let quick = fast[here] + params.fast * (detail - fast[here]);
    let calm = slow[here] + params.slow * (detail - slow[here]);
    fast[here] = quick;
    slow[here] = calm;
    var sum = level.alpha * (quick - calm);
    // The residual has no change of its own.
    if at + 2u < params.levels {
        sum += enlarged_change(coarse, size, pixel);
    }
    if at == 0u {
        sum = vec4<f32>(
            dot(params.chroma[0].xyz, sum.xyz),
            dot(params.chroma[1].xyz, sum.xyz),
            dot(params.chroma[2].xyz, sum.xyz),
            0.0,
        );
    }
    change[here] = sum;
}

// One level's band-pass; the coarser ones are done.
@compute @workgroup_size(8, 8, 1)
fn filter_level(@builtin(global_invocation_id) id: vec3<u32>) {
    let level = params.level[current.x];
    if id.x >= level.width || id.y >= level.height {
        return;
    }
    filter_at(current.x, id.xy);
}

const TAIL_THREADS = 256u;

// The coarse levels, too small to be worth a dispatch each: down, then up again.
@compute @workgroup_size(TAIL_THREADS, 1, 1)
fn tail(@builtin(local_invocation_index) thread: u32) {
    for (var at = current.x; at < params.levels; at++) {
        let level = params.level[at];
        for (var i = thread; i < level.width * level.height; i += TAIL_THREADS) {
            halve_to(at, vec2<u32>(i % level.width, i / level.width));
        }
        storageBarrier();
    }
    for (var up = current.x + 1u; up < params.levels; up++) {
        // From the second coarsest to the tail's finest.
        let at = params.levels - 1u - (up - current.x);
        let level = params.level[at];
        for (var i = thread; i < level.width * level.height; i += TAIL_THREADS) {
            filter_at(at, vec2<u32>(i % level.width, i / level.width));
        }
        storageBarrier();
    }
}

// The picture with the change of all levels.
@compute @workgroup_size(8, 8, 1)
fn magnify(@builtin(global_invocation_id) id: vec3<u32>) {
    if id.x >= params.width || id.y >= params.height {
        return;
    }
    let level = params.level[0];
    let across = taps(id.x, level.width, params.width);
    let down = taps(id.y, level.height, params.height);
    var sum = vec4<f32>(0.0);
    for (var j = 0u; j < 3u; j++) {
        let row = level.offset + down.at[j] * level.width;
        var line = vec4<f32>(0.0);
        for (var i = 0u; i < 3u; i++) {
            line += across.weight[i] * whole_change[row + across.at[i]];
        }
        sum += down.weight[j] * line;
    }
    let here = id.y * params.width + id.x;
    let color = rgb(picture[here]) + sum;
    magnified[here] = pack4x8unorm(vec4<f32>(color.xyz, 1.0));
}
