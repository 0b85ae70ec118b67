// From flows to SOFTNet's input and to the few numbers of a window that the
// processor needs: nose subtracted, eyes blank, brows above mouth at 42×42, every
// channel scaled to 0..1. CPU twin: src/motion/roi.rs.
//
// The maps in between are nowhere written: each value is made from the flow where
// it is read. A window's parts are done by workgroups of their own, side by side.

struct Roi {
    // Of one flow, in pixels.
    width: u32,
    height: u32,
    windows: u32,
}

// Pixels x0..x1 and y0..y1 inside the flow; the upper limits are exclusive.
struct Rect {
    x0: u32,
    y0: u32,
    x1: u32,
    y1: u32,
}

struct Window {
    nose: Rect,
    brows: Rect,
    mouth: Rect,
    // Where the brows end being the left half, the mouth being left and upper.
    brows_middle: u32,
    mouth_middle_x: u32,
    mouth_middle_y: u32,
    // Which of the flows it is, and the factor that brings it to nominal length.
    flow: u32,
    scale: f32,
    // First word of its mask: two bits a pixel, sixteen pixels a word.
    mask: u32,
}

@group(0) @binding(0) var<uniform> params: Roi;
@group(0) @binding(1) var<storage, read> windows: array<Window>;
@group(0) @binding(2) var<storage, read> masks: array<u32>;
// Flow after flow, each its plane u and its plane v.
@group(0) @binding(3) var<storage, read> flows: array<f32>;
// Of `roi`: window, channel, row, column. Of the others: STATISTICS a window.
@group(0) @binding(4) var<storage, read_write> result: array<f32>;

const SIDE: u32 = 42u;
const HALF: u32 = 21u;
const THREADS: u32 = 256u;

// Bits of the mask: an eye, which is blank; an eye or outside the face, which is
// not counted.
const EYE: u32 = 1u;
const SKIPPED: u32 = 2u;

// Per part: flow u, flow v, strain, length, pixels counted, strain as coded; then
// what the nose says and the percentile.
const PARTS: u32 = 6u;
const SUMS: u32 = 6u;
const HEAD: u32 = 36u;
const PERCENTILE: u32 = 39u;
// Cells of the grid, each with its mean u, v and strain and the face's share.
const GRID: u32 = 40u;
const GRID_SIDE: u32 = 16u;
const STATISTICS: u32 = 1064u;

var<workgroup> sums: array<vec4<f32>, 256>;
var<workgroup> histogram: array<atomic<u32>, 256>;
var<workgroup> groups: array<u32, 16>;
var<workgroup> chosen: vec2<u32>;

fn flow_at(window: Window, component: u32, x: u32, y: u32) -> f32 {
    let size = vec2<u32>(params.width, params.height);
    return flows[plane_index(size, window.flow * 2u + component, vec2<u32>(x, y))] * window.scale;
}

// Differences of neighbours; the last column and row repeat the ones before.
fn strain_at(window: Window, x: u32, y: u32) -> f32 {
    if params.width < 2u || params.height < 2u {
        return 0.0;
    }
    let left = min(x, params.width - 2u);
    let top = min(y, params.height - 2u);
    let u = flow_at(window, 0u, left, top);
    let v = flow_at(window, 1u, left, top);
    let xx = flow_at(window, 0u, left + 1u, top) - u;
    let yy = flow_at(window, 1u, left, top + 1u) - v;
    let shear = (flow_at(window, 0u, left, top + 1u) - u)
        + (flow_at(window, 1u, left + 1u, top) - v);
    return sqrt(xx * xx + yy * yy + 0.5 * shear * shear);
}

fn mask_at(window: Window, x: u32, y: u32) -> u32 {
    let pixel = y * params.width + x;
    return (masks[window.mask + pixel / 16u] >> (pixel % 16u * 2u)) & 3u;
}

fn area(rect: Rect) -> u32 {
    return (rect.x1 - rect.x0) * (rect.y1 - rect.y0);
}

fn pixel_of(rect: Rect, index: u32) -> vec2<u32> {
    let across = rect.x1 - rect.x0;
    return vec2<u32>(rect.x0 + index % across, rect.y0 + index / across);
}

// The sum over all threads, in a fixed order.
fn total(thread: u32, value: vec4<f32>) -> vec4<f32> {
    sums[thread] = value;
    workgroupBarrier();
    for (var reach = THREADS / 2u; reach > 0u; reach /= 2u) {
        if thread < reach {
            sums[thread] += sums[thread + reach];
        }
        workgroupBarrier();
    }
    let sum = sums[0];
    workgroupBarrier();
    return sum;
}

// Mean u, v and strain of the nose window; zero where it is empty. Summed about the
// first pixel, so that an even motion comes out exactly.
fn nose_mean(window: Window, thread: u32) -> vec3<f32> {
    let count = area(window.nose);
    var first = vec3<f32>(0.0);
    if count > 0u {
        let x = window.nose.x0;
        let y = window.nose.y0;
        first = vec3<f32>(
            flow_at(window, 0u, x, y),
            flow_at(window, 1u, x, y),
            strain_at(window, x, y),
        );
    }
    var sum = vec3<f32>(0.0);
    for (var i = thread; i < count; i += THREADS) {
        let p = pixel_of(window.nose, i);
        let here = vec3<f32>(
            flow_at(window, 0u, p.x, p.y),
            flow_at(window, 1u, p.x, p.y),
            strain_at(window, p.x, p.y),
        );
        sum += here - first;
    }
    return first + total(thread, vec4<f32>(sum, 0.0)).xyz / f32(max(count, 1u));
}

// One channel of the map that is resampled: |u|, |v| or strain beyond the nose's.
fn map_at(window: Window, nose: vec3<f32>, channel: u32, x: u32, y: u32) -> f32 {
    if (mask_at(window, x, y) & EYE) != 0u {
        return 0.0;
    }
    if channel == 2u {
        return strain_at(window, x, y) - nose.z;
    }
    return abs(flow_at(window, channel, x, y) - nose[channel]);
}

// The lower of the two pixels between which `target` of `count` samples of a length
// lies, and the other's share.
fn tap(target_index: u32, count: u32, length: u32) -> vec2<f32> {
    // Half-pixel centres: ((2t + 1)·length − count) / (2·count), in whole numbers.
    let above = i32((2u * target_index + 1u) * length) - i32(count);
    let low = max(above, 0) / i32(2u * count);
    if above <= 0 || u32(low) >= length - 1u {
        return vec2<f32>(f32(low), 0.0);
    }
    return vec2<f32>(f32(low), f32(above - low * i32(2u * count)) / f32(2u * count));
}

// SOFTNet's input: a workgroup a channel of a window.
@compute @workgroup_size(256, 1, 1)
fn roi(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let window = windows[group.z];
    let channel = group.x;
    let nose = nose_mean(window, thread);
    let start = (group.z * 3u + channel) * SIDE * SIDE;
    // Lowest value and highest, as the lowest of its negative.
    var extremes = vec2<f32>(3.4e38);
    for (var i = thread; i < SIDE * SIDE; i += THREADS) {
        var rect = window.brows;
        if i / SIDE >= HALF {
            rect = window.mouth;
        }
        var value = 0.0;
        if area(rect) > 0u {
            let across = tap(i % SIDE, SIDE, rect.x1 - rect.x0);
            let down = tap(i / SIDE % HALF, HALF, rect.y1 - rect.y0);
            let x0 = rect.x0 + u32(across.x);
            let y0 = rect.y0 + u32(down.x);
            let x1 = min(x0 + 1u, rect.x1 - 1u);
            let y1 = min(y0 + 1u, rect.y1 - 1u);
            let above = map_at(window, nose, channel, x0, y0) * (1.0 - across.y)
                + map_at(window, nose, channel, x1, y0) * across.y;
            let below = map_at(window, nose, channel, x0, y1) * (1.0 - across.y)
                + map_at(window, nose, channel, x1, y1) * across.y;
            value = above * (1.0 - down.y) + below * down.y;
        }
        result[start + i] = value;
        extremes = min(extremes, vec2<f32>(value, -value));
    }
    sums[thread] = vec4<f32>(extremes, 0.0, 0.0);
    workgroupBarrier();
    for (var reach = THREADS / 2u; reach > 0u; reach /= 2u) {
        if thread < reach {
            sums[thread] = min(sums[thread], sums[thread + reach]);
        }
        workgroupBarrier();
    }
    let low = sums[0].x;
    let range = -sums[0].y - low;
    for (var i = thread; i < SIDE * SIDE; i += THREADS) {
        var scaled = 0.0;
        if range > 0.0 {
            scaled = (result[start + i] - low) / range;
        }
        result[start + i] = scaled;
    }
}

// Sums over one of the six parts: brows left and right, mouth upper left, upper
// right, lower left, lower right. A workgroup a part of a window.
@compute @workgroup_size(256, 1, 1)
fn roi_sums(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let window = windows[group.z];
    let nose = nose_mean(window, thread);
    let part = group.x;
    var rect = window.brows;
    if part == 0u {
        rect.x1 = window.brows_middle;
    } else if part == 1u {
        rect.x0 = window.brows_middle;
    } else {
        rect = window.mouth;
        if (part & 1u) == 0u {
            rect.x1 = window.mouth_middle_x;
        } else {
            rect.x0 = window.mouth_middle_x;
        }
        if part < 4u {
            rect.y1 = window.mouth_middle_y;
        } else {
            rect.y0 = window.mouth_middle_y;
        }
    }
    var counted = vec4<f32>(0.0);
    var others = vec4<f32>(0.0);
    let count = area(rect);
    for (var i = thread; i < count; i += THREADS) {
        let p = pixel_of(rect, i);
        let mask = mask_at(window, p.x, p.y);
        let strain = strain_at(window, p.x, p.y);
        if (mask & EYE) == 0u {
            others.y += strain - nose.z;
        }
        if (mask & SKIPPED) == 0u {
            let moved = vec2<f32>(
                flow_at(window, 0u, p.x, p.y),
                flow_at(window, 1u, p.x, p.y),
            ) - nose.xy;
            counted += vec4<f32>(moved, strain, sqrt(moved.x * moved.x + moved.y * moved.y));
            others.x += 1.0;
        }
    }
    let first = total(thread, counted);
    let second = total(thread, others);
    if thread == 0u {
        let to = group.z * STATISTICS + part * SUMS;
        result[to] = first.x;
        result[to + 1u] = first.y;
        result[to + 2u] = first.z;
        result[to + 3u] = first.w;
        result[to + 4u] = second.x;
        result[to + 5u] = second.y;
        if part == 0u {
            let head = group.z * STATISTICS + HEAD;
            result[head] = nose.x;
            result[head + 1u] = nose.y;
            result[head + 2u] = nose.z;
        }
    }
}

// The 95th percentile of the length over both rectangles, found exactly: one byte
// of the number after another, from the highest on. A workgroup a window.
@compute @workgroup_size(256, 1, 1)
fn roi_percentile(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let window = windows[group.z];
    let nose = nose_mean(window, thread);
    let brows = area(window.brows);
    let count = brows + area(window.mouth);
    // The bytes found so far, and the place among those that share them.
    var prefix = 0u;
    var rank = 0u;
    for (var round = 0u; round < 4u; round++) {
        let shift = 24u - 8u * round;
        atomicStore(&histogram[thread], 0u);
        workgroupBarrier();
        for (var i = thread; i < count; i += THREADS) {
            var p: vec2<u32>;
            if i < brows {
                p = pixel_of(window.brows, i);
            } else {
                p = pixel_of(window.mouth, i - brows);
            }
            if (mask_at(window, p.x, p.y) & SKIPPED) == 0u {
                let moved = vec2<f32>(
                    flow_at(window, 0u, p.x, p.y),
                    flow_at(window, 1u, p.x, p.y),
                ) - nose.xy;
                // Numbers from 0 on are ordered as their bits are.
                let key = bitcast<u32>(moved.x * moved.x + moved.y * moved.y);
                if round == 0u || (key >> (shift + 8u)) == prefix {
                    atomicAdd(&histogram[(key >> shift) & 255u], 1u);
                }
            }
        }
        workgroupBarrier();
        if thread < 16u {
            var sum = 0u;
            for (var i = 0u; i < 16u; i++) {
                sum += atomicLoad(&histogram[thread * 16u + i]);
            }
            groups[thread] = sum;
        }
        workgroupBarrier();
        if thread == 0u {
            if round == 0u {
                var all = 0u;
                for (var i = 0u; i < 16u; i++) {
                    all += groups[i];
                }
                rank = (max(all, 1u) - 1u) * 95u / 100u;
            }
            var at = 0u;
            while at < 15u && rank >= groups[at] {
                rank -= groups[at];
                at++;
            }
            var bucket = at * 16u;
            while bucket < at * 16u + 15u && rank >= atomicLoad(&histogram[bucket]) {
                rank -= atomicLoad(&histogram[bucket]);
                bucket++;
            }
            chosen = vec2<u32>((prefix << 8u) | bucket, rank);
        }
        workgroupBarrier();
        prefix = chosen.x;
        rank = chosen.y;
        workgroupBarrier();
    }
    if thread == 0u {
        var length = 0.0;
        // Without a pixel the search ends at the highest bytes.
        if prefix < 0x7f800000u {
            length = sqrt(bitcast<f32>(prefix));
        }
        result[group.z * STATISTICS + PERCENTILE] = length;
    }
}

// Mean u, v and strain of the grid's cells over the pixels of the face, and the share
// of a cell that is face. A thread a cell, a workgroup a window.
@compute @workgroup_size(256, 1, 1)
fn roi_grid(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let window = windows[group.z];
    let column = thread % GRID_SIDE;
    let row = thread / GRID_SIDE;
    // Pixels x with x·16/width = column in whole numbers.
    let x0 = (column * params.width + GRID_SIDE - 1u) / GRID_SIDE;
    let x1 = ((column + 1u) * params.width + GRID_SIDE - 1u) / GRID_SIDE;
    let y0 = (row * params.height + GRID_SIDE - 1u) / GRID_SIDE;
    let y1 = ((row + 1u) * params.height + GRID_SIDE - 1u) / GRID_SIDE;
    var sum = vec3<f32>(0.0);
    var count = 0.0;
    for (var y = y0; y < y1; y++) {
        for (var x = x0; x < x1; x++) {
            let mask = mask_at(window, x, y);
            if (mask & SKIPPED) == 0u || (mask & EYE) != 0u {
                sum += vec3<f32>(
                    flow_at(window, 0u, x, y),
                    flow_at(window, 1u, x, y),
                    strain_at(window, x, y),
                );
                count += 1.0;
            }
        }
    }
    let mean = sum / max(count, 1.0);
    let to = group.z * STATISTICS + GRID + thread * 4u;
    result[to] = mean.x;
    result[to + 1u] = mean.y;
    result[to + 2u] = mean.z;
    result[to + 3u] = count / f32(max((x1 - x0) * (y1 - y0), 1u));
}
