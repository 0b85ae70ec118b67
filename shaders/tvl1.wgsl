// TV-L1 flow, many inner iterations a dispatch. CPU twin: src/motion/cpu/tvl1.rs;
// the order of the work and the halos are explained in src/motion/gpu/tvl1.rs.
//
// A workgroup holds a tile of the level, a thread 4 × HEIGHT pixels of it: a vector is
// four neighbours of one row. THREADS_X, THREADS_Y and HEIGHT are put before this
// text, and lines between `for NAME` and `end NAME` are repeated for each number.

struct Solver {
    // λθ, θ and τ/θ.
    reach: f32,
    theta: f32,
    dual_step: f32,
    // 1 / scale step.
    enlargement: f32,
    levels: u32,
    outer: u32,
    inner: u32,
    // 1: rounds begin with the 5 × 5 median.
    median: u32,
    // 1: beyond its border the second picture repeats its edge. 0: it is black.
    replicate: u32,
    // Tiles of the level that has most, for the partial sums.
    most_tiles: u32,
    pairs: u32,
    // Vectors in one plane of the fields.
    plane: u32,
    // Where the report begins in `result`, and its values per pair.
    report: u32,
    report_length: u32,
}

struct Level {
    width: u32,
    height: u32,
    // Vectors per row of the fields.
    pitch: u32,
    // Where the level begins in a pyramid.
    texels: u32,
    // The taps that enlarge the next coarser level's flow onto this one.
    taps_x: u32,
    taps_y: u32,
    tiles_x: u32,
    tiles_y: u32,
    // Pixels around a tile's own that it computes as well; a multiple of 4.
    halo: u32,
    // ε²·W·H: a sum of squared changes up to this ends the warp.
    enough: f32,
    warps: u32,
}

// Where a resampled row or column reads: the lower index and the share of the next.
struct Tap {
    low: u32,
    share: f32,
}

@group(0) @binding(0) var<uniform> params: Solver;
@group(0) @binding(1) var<storage, read> levels: array<Level>;
@group(0) @binding(2) var<storage, read> taps: array<Tap>;
@group(0) @binding(3) var<storage, read> texels: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> before: array<Progress>;
@group(0) @binding(5) var<storage, read_write> after: array<Progress>;
// Per pair twice the planes u, v and the duals' ux, uy, vx, vy, then the
// linearisation's gx, gy, rest and inverse.
@group(0) @binding(6) var<storage, read_write> fields: array<vec4<f32>>;
// Sums of squared changes: [parity of the step][pair][tile][iteration].
@group(0) @binding(7) var<storage, read_write> changes: array<f32>;
// Per pair u and v of the finest level, then the reports.
@group(0) @binding(8) var<storage, read_write> result: array<f32>;

const THREADS: u32 = THREADS_X * THREADS_Y;
const TILE_X: u32 = 4u * THREADS_X;
const TILE_Y: u32 = HEIGHT * THREADS_Y;
// Iterations a dispatch can hold.
const DEPTH: u32 = 16u;
const STATE_PLANES: u32 = 6u;
const LINEAR: u32 = 2u * STATE_PLANES;
const PLANES_PER_PAIR: u32 = LINEAR + 4u;
const NEVER: u32 = 0xffffffffu;
// Cubic convolution's free parameter; OpenCV's value.
const SHARPNESS: f32 = -0.75;
// f32::EPSILON: below this a squared gradient is flat.
const FLAT: f32 = 1.1920929e-7;

// Two components' columns at one side of every thread's pixels, and their rows at
// another; once for the duals and once for the flow, so that two barriers an
// iteration are enough. The median uses it as one plane of the tile.
const COLUMNS: u32 = 2u * HEIGHT * THREADS_Y * (THREADS_X - 1u);
const LINES: u32 = 8u * THREADS_X * (THREADS_Y - 1u);
const FLOW_PART: u32 = COLUMNS + LINES;
var<workgroup> exchange: array<f32, 2u * (COLUMNS + LINES)>;
var<workgroup> partial: array<f32, THREADS>;
var<workgroup> stage: array<f32, DEPTH>;
var<workgroup> total: f32;
var<workgroup> found: u32;

// This thread's pixels. Entry HEIGHT of u and v is the row below them, entry 0 of the
// vertical duals the row above, entry HEIGHT of the others room to turn them in.
var<private> u: array<vec4<f32>, HEIGHT + 1u>;
var<private> v: array<vec4<f32>, HEIGHT + 1u>;
var<private> ux: array<vec4<f32>, HEIGHT>;
var<private> vx: array<vec4<f32>, HEIGHT>;
var<private> uy: array<vec4<f32>, HEIGHT + 1u>;
var<private> vy: array<vec4<f32>, HEIGHT + 1u>;
var<private> gx: array<vec4<f32>, HEIGHT + 1u>;
var<private> gy: array<vec4<f32>, HEIGHT + 1u>;
var<private> rest: array<vec4<f32>, HEIGHT + 1u>;
var<private> inverse: array<vec4<f32>, HEIGHT + 1u>;

// Of this thread: its place in the tile, its first pixel in the level and in the tile.
var<private> thread: vec2<u32>;
var<private> corner: vec2<u32>;
var<private> level: Level;
var<private> pair_fields: u32;
// This thread's sums of squared changes, an entry an iteration of a step.
var<private> moves: array<f32, DEPTH>;
var<private> progress: Progress;

fn column_slot(component: u32, row: u32, x: u32) -> u32 {
    return ((component * HEIGHT + row) * THREADS_Y + thread.y) * (THREADS_X - 1u) + x;
}

fn row_slot(component: u32, lane: u32, y: u32) -> u32 {
    return COLUMNS + ((component * 4u + lane) * (THREADS_Y - 1u) + y) * THREADS_X + thread.x;
}

fn put_row(base: u32, component: u32, y: u32, values: vec4<f32>) {
    exchange[base + row_slot(component, 0u, y)] = values.x;
    exchange[base + row_slot(component, 1u, y)] = values.y;
    exchange[base + row_slot(component, 2u, y)] = values.z;
    exchange[base + row_slot(component, 3u, y)] = values.w;
}

fn get_row(base: u32, component: u32, y: u32) -> vec4<f32> {
    return vec4<f32>(
        exchange[base + row_slot(component, 0u, y)],
        exchange[base + row_slot(component, 1u, y)],
        exchange[base + row_slot(component, 2u, y)],
        exchange[base + row_slot(component, 3u, y)],
    );
}

// The duals' last column is the right neighbour's left, their last row the lower
// neighbour's upper.
fn put_duals() {
    if thread.x + 1u < THREADS_X {
        // for ROW in 0..HEIGHT
        exchange[column_slot(0u, ROWu, thread.x)] = ux[ROW].w;
        exchange[column_slot(1u, ROWu, thread.x)] = vx[ROW].w;
        // end ROW
    }
    if thread.y + 1u < THREADS_Y {
        put_row(0u, 0u, thread.y, uy[HEIGHT]);
        put_row(0u, 1u, thread.y, vy[HEIGHT]);
    }
}

fn put_flow() {
    if thread.x > 0u {
        // for ROW in 0..HEIGHT
        exchange[FLOW_PART + column_slot(0u, ROWu, thread.x - 1u)] = u[ROW].x;
        exchange[FLOW_PART + column_slot(1u, ROWu, thread.x - 1u)] = v[ROW].x;
        // end ROW
    }
    if thread.y > 0u {
        put_row(FLOW_PART, 0u, thread.y - 1u, u[0]);
        put_row(FLOW_PART, 1u, thread.y - 1u, v[0]);
    }
}

// Threshold step and divergence; returns the sum of squared changes.
fn flow_step() -> f32 {
    let has_left = thread.x > 0u;
    uy[0] = vec4<f32>();
    vy[0] = vec4<f32>();
    if thread.y > 0u {
        uy[0] = get_row(0u, 0u, thread.y - 1u);
        vy[0] = get_row(0u, 1u, thread.y - 1u);
    }
    let reach = vec4<f32>(params.reach);
    var moved = vec4<f32>();
    // for ROW in 0..HEIGHT
    {
        var ux_left = 0.0;
        var vx_left = 0.0;
        if has_left {
            ux_left = exchange[column_slot(0u, ROWu, thread.x - 1u)];
            vx_left = exchange[column_slot(1u, ROWu, thread.x - 1u)];
        }
        let rho = rest[ROW] + gx[ROW] * u[ROW] + gy[ROW] * v[ROW];
        let step = max(min(-rho * inverse[ROW], reach), -reach);
        let u_div = ux[ROW] - vec4<f32>(ux_left, ux[ROW].xyz) + (uy[ROW + 1] - uy[ROW]);
        let v_div = vx[ROW] - vec4<f32>(vx_left, vx[ROW].xyz) + (vy[ROW + 1] - vy[ROW]);
        let new_u = u[ROW] + step * gx[ROW] + params.theta * u_div;
        let new_v = v[ROW] + step * gy[ROW] + params.theta * v_div;
        let du = new_u - u[ROW];
        let dv = new_v - v[ROW];
        moved += du * du + dv * dv;
        u[ROW] = new_u;
        v[ROW] = new_v;
    }
    // end ROW
    return moved.x + moved.y + moved.z + moved.w;
}

fn shrink(dx: vec4<f32>, dy: vec4<f32>) -> vec4<f32> {
    return 1.0 / (1.0 + params.dual_step * sqrt(dx * dx + dy * dy));
}

// Dual step. At the picture's right and lower edge the difference is zero; at a
// tile's edge inside the picture it is taken as zero, which the halo makes good.
fn dual_step() {
    let has_right = thread.x + 1u < THREADS_X;
    let columns = corner.x + vec4<u32>(1u, 2u, 3u, 4u);
    let across = select(vec4<f32>(), vec4<f32>(1.0), columns < vec4<u32>(level.width));
    u[HEIGHT] = u[HEIGHT - 1u];
    v[HEIGHT] = v[HEIGHT - 1u];
    if thread.y + 1u < THREADS_Y {
        u[HEIGHT] = get_row(FLOW_PART, 0u, thread.y);
        v[HEIGHT] = get_row(FLOW_PART, 1u, thread.y);
    }
    let step = params.dual_step;
    // for ROW in 0..HEIGHT
    {
        var u_right = u[ROW].w;
        var v_right = v[ROW].w;
        if has_right {
            u_right = exchange[FLOW_PART + column_slot(0u, ROWu, thread.x)];
            v_right = exchange[FLOW_PART + column_slot(1u, ROWu, thread.x)];
        }
        let down = select(0.0, 1.0, corner.y + ROWu + 1u < level.height);
        let u_dx = (vec4<f32>(u[ROW].yzw, u_right) - u[ROW]) * across;
        let u_dy = (u[ROW + 1] - u[ROW]) * down;
        let u_shrink = shrink(u_dx, u_dy);
        ux[ROW] = (ux[ROW] + step * u_dx) * u_shrink;
        uy[ROW + 1] = (uy[ROW + 1] + step * u_dy) * u_shrink;
        let v_dx = (vec4<f32>(v[ROW].yzw, v_right) - v[ROW]) * across;
        let v_dy = (v[ROW + 1] - v[ROW]) * down;
        let v_shrink = shrink(v_dx, v_dy);
        vx[ROW] = (vx[ROW] + step * v_dx) * v_shrink;
        vy[ROW + 1] = (vy[ROW + 1] + step * v_dy) * v_shrink;
    }
    // end ROW
}

fn cubic_weights(t: f32) -> vec4<f32> {
    let a = SHARPNESS;
    let far = t + 1.0;
    let other = 1.0 - t;
    let first = ((a * far - 5.0 * a) * far + 8.0 * a) * far - 4.0 * a;
    let second = ((a + 2.0) * t - (a + 3.0)) * t * t + 1.0;
    let third = ((a + 2.0) * other - (a + 3.0)) * other * other + 1.0;
    return vec4<f32>(first, second, third, 1.0 - first - second - third);
}

// The second picture's texel; outside it the nearest one, or black.
fn texel(x: i32, y: i32) -> vec3<f32> {
    let last = vec2<i32>(i32(level.width), i32(level.height)) - 1;
    let at = vec2<i32>(x, y);
    let near = clamp(at, vec2<i32>(0), last);
    let value = texels[progress.second + level.texels + u32(near.y) * level.width + u32(near.x)];
    return select(vec3<f32>(), value.xyz, params.replicate != 0u || all(at == near));
}

// The linearised brightness difference of one pixel where its flow points: the
// warped gradient, the difference at zero flow, and one over the squared gradient.
fn linearised(x: u32, y: u32, du: f32, dv: f32) -> vec4<f32> {
    if x >= level.width || y >= level.height {
        return vec4<f32>();
    }
    // Beyond these positions every tap lies in the border.
    let furthest = vec2<f32>(f32(level.width + 1u), f32(level.height + 1u));
    let at = clamp(vec2<f32>(f32(x) + du, f32(y) + dv), vec2<f32>(-2.0), furthest);
    let whole = floor(at);
    let wx = cubic_weights(at.x - whole.x);
    let wy = cubic_weights(at.y - whole.y);
    let column = i32(whole.x);
    let line = i32(whole.y) - 1;
    var sum = vec3<f32>();
    for (var j = 0; j < 4; j++) {
        let across = wx.x * texel(column - 1, line + j)
            + wx.y * texel(column, line + j)
            + wx.z * texel(column + 1, line + j)
            + wx.w * texel(column + 2, line + j);
        sum += wy[j] * across;
    }
    sum *= progress.gain;
    let first = texels[progress.first + level.texels + y * level.width + x].x;
    let square = sum.y * sum.y + sum.z * sum.z;
    let flat = square <= FLAT;
    let offset = sum.x - sum.y * du - sum.z * dv - first;
    return vec4<f32>(sum.y, sum.z, offset, select(1.0 / square, 0.0, flat));
}

// Linearises all pixels of the thread. The arrays are turned by one row a round,
// so that the text for one row serves all and indices stay constant.
fn linearise() {
    for (var row = 0u; row < HEIGHT; row++) {
        let y = corner.y + row;
        let a = linearised(corner.x, y, u[0].x, v[0].x);
        let b = linearised(corner.x + 1u, y, u[0].y, v[0].y);
        let c = linearised(corner.x + 2u, y, u[0].z, v[0].z);
        let d = linearised(corner.x + 3u, y, u[0].w, v[0].w);
        u[HEIGHT] = u[0];
        v[HEIGHT] = v[0];
        gx[HEIGHT] = vec4<f32>(a.x, b.x, c.x, d.x);
        gy[HEIGHT] = vec4<f32>(a.y, b.y, c.y, d.y);
        rest[HEIGHT] = vec4<f32>(a.z, b.z, c.z, d.z);
        inverse[HEIGHT] = vec4<f32>(a.w, b.w, c.w, d.w);
        // for ROW in 0..HEIGHT
        u[ROW] = u[ROW + 1];
        v[ROW] = v[ROW + 1];
        gx[ROW] = gx[ROW + 1];
        gy[ROW] = gy[ROW + 1];
        rest[ROW] = rest[ROW + 1];
        inverse[ROW] = inverse[ROW + 1];
        // end ROW
    }
}

fn order(low: ptr<function, vec4<f32>>, high: ptr<function, vec4<f32>>) {
    let least = min(*low, *high);
    *high = max(*low, *high);
    *low = least;
}

// Five rows, sorted within their columns.
fn sorted(rows: array<vec4<f32>, 5>) -> array<vec4<f32>, 5> {
    var v0 = rows[0];
    var v1 = rows[1];
    var v2 = rows[2];
    var v3 = rows[3];
    var v4 = rows[4];
    order(&v0, &v1); order(&v3, &v4); order(&v2, &v4); order(&v2, &v3);
    order(&v0, &v3); order(&v0, &v2); order(&v1, &v4); order(&v1, &v3);
    order(&v1, &v2);
    return array<vec4<f32>, 5>(v0, v1, v2, v3, v4);
}

// The medians of four neighbours from the sorted columns around them: `low` those
// from two to the left on, `high` those from two to the right on. The network is
// the one of src/motion/cpu/median.rs, where a test proves it.
fn median_of_sorted(low: array<vec4<f32>, 5>, high: array<vec4<f32>, 5>) -> vec4<f32> {
    var v0 = low[0];
    var v1 = low[1];
    var v2 = low[2];
    var v3 = low[3];
    var v4 = low[4];
    var v5 = vec4<f32>(low[0].yzw, high[0].x);
    var v6 = vec4<f32>(low[1].yzw, high[1].x);
    var v7 = vec4<f32>(low[2].yzw, high[2].x);
    var v8 = vec4<f32>(low[3].yzw, high[3].x);
    var v9 = vec4<f32>(low[4].yzw, high[4].x);
    var v10 = vec4<f32>(low[0].zw, high[0].xy);
    var v11 = vec4<f32>(low[1].zw, high[1].xy);
    var v12 = vec4<f32>(low[2].zw, high[2].xy);
    var v13 = vec4<f32>(low[3].zw, high[3].xy);
    var v14 = vec4<f32>(low[4].zw, high[4].xy);
    var v15 = vec4<f32>(low[0].w, high[0].xyz);
    var v16 = vec4<f32>(low[1].w, high[1].xyz);
    var v17 = vec4<f32>(low[2].w, high[2].xyz);
    var v18 = vec4<f32>(low[3].w, high[3].xyz);
    var v19 = vec4<f32>(low[4].w, high[4].xyz);
    var v20 = high[0];
    var v21 = high[1];
    var v22 = high[2];
    var v23 = high[3];
    var v24 = high[4];
    order(&v0, &v5); order(&v15, &v20); order(&v10, &v20); order(&v10, &v15);
    order(&v0, &v15); order(&v5, &v20); order(&v5, &v15);
    order(&v1, &v16); order(&v6, &v21); order(&v1, &v11); order(&v6, &v16);
    order(&v1, &v6); order(&v11, &v21); order(&v6, &v11); order(&v16, &v21);
    order(&v11, &v16);
    order(&v2, &v7); order(&v17, &v22); order(&v12, &v22); order(&v12, &v17);
    order(&v2, &v17); order(&v2, &v12); order(&v7, &v22); order(&v7, &v17);
    order(&v7, &v12);
    order(&v3, &v18); order(&v8, &v23); order(&v3, &v13); order(&v8, &v18);
    order(&v3, &v8); order(&v13, &v23); order(&v8, &v13); order(&v18, &v23);
    order(&v13, &v18);
    order(&v4, &v19); order(&v9, &v24); order(&v4, &v14); order(&v9, &v19);
    order(&v4, &v9); order(&v14, &v24); order(&v9, &v14);
    order(&v9, &v13); order(&v7, &v3); order(&v11, &v15); order(&v21, &v17);
    order(&v3, &v15); order(&v9, &v15); order(&v15, &v21); order(&v16, &v4);
    order(&v8, &v12); order(&v9, &v16);
    order(&v4, &v12); order(&v4, &v9); order(&v15, &v16); order(&v8, &v15);
    order(&v20, &v15); order(&v20, &v8); order(&v15, &v16); order(&v8, &v9);
    order(&v9, &v15);
    return v9;
}

fn taken(line: u32, columns: vec4<u32>) -> vec4<f32> {
    return vec4<f32>(
        exchange[line + columns.x],
        exchange[line + columns.y],
        exchange[line + columns.z],
        exchange[line + columns.w],
    );
}

fn median_row(row: u32) -> vec4<f32> {
    // The part of the tile that lies in the picture: there borders are repeated.
    let origin = corner - thread * vec2<u32>(4u, HEIGHT);
    let last = vec2<i32>(min(vec2<u32>(TILE_X, TILE_Y), vec2<u32>(level.width, level.height) - origin)) - 1;
    let x = i32(thread.x * 4u) + vec4<i32>(-2, -1, 0, 1);
    let left = vec4<u32>(clamp(x, vec4<i32>(0), vec4<i32>(last.x)));
    let right = vec4<u32>(clamp(x + 4, vec4<i32>(0), vec4<i32>(last.x)));
    let y = i32(thread.y * HEIGHT + row) - 2;
    var low: array<vec4<f32>, 5>;
    var high: array<vec4<f32>, 5>;
    let line0 = u32(clamp(y, 0, last.y)) * TILE_X;
    low[0] = taken(line0, left);
    high[0] = taken(line0, right);
    let line1 = u32(clamp(y + 1, 0, last.y)) * TILE_X;
    low[1] = taken(line1, left);
    high[1] = taken(line1, right);
    let line2 = u32(clamp(y + 2, 0, last.y)) * TILE_X;
    low[2] = taken(line2, left);
    high[2] = taken(line2, right);
    let line3 = u32(clamp(y + 3, 0, last.y)) * TILE_X;
    low[3] = taken(line3, left);
    high[3] = taken(line3, right);
    let line4 = u32(clamp(y + 4, 0, last.y)) * TILE_X;
    low[4] = taken(line4, left);
    high[4] = taken(line4, right);
    return median_of_sorted(sorted(low), sorted(high));
}

fn put_plane(row: u32, values: vec4<f32>) {
    let at = (thread.y * HEIGHT + row) * TILE_X + thread.x * 4u;
    exchange[at] = values.x;
    exchange[at + 1u] = values.y;
    exchange[at + 2u] = values.z;
    exchange[at + 3u] = values.w;
}

// The 5 × 5 median of u and v. Pixels outside the picture stay zero.
fn median() {
    let columns = corner.x + vec4<u32>(0u, 1u, 2u, 3u);
    let inside = columns < vec4<u32>(level.width);
    // for ROW in 0..HEIGHT
    put_plane(ROWu, u[ROW]);
    // end ROW
    workgroupBarrier();
    for (var row = 0u; row < HEIGHT; row++) {
        u[HEIGHT] = select(vec4<f32>(), median_row(row), inside & vec4<bool>(corner.y + row < level.height));
        // for ROW in 0..HEIGHT
        u[ROW] = u[ROW + 1];
        // end ROW
    }
    workgroupBarrier();
    // for ROW in 0..HEIGHT
    put_plane(ROWu, v[ROW]);
    // end ROW
    workgroupBarrier();
    for (var row = 0u; row < HEIGHT; row++) {
        v[HEIGHT] = select(vec4<f32>(), median_row(row), inside & vec4<bool>(corner.y + row < level.height));
        // for ROW in 0..HEIGHT
        v[ROW] = v[ROW + 1];
        // end ROW
    }
    workgroupBarrier();
}

fn coarse(plane: u32, x: u32, y: u32, pitch: u32) -> f32 {
    return fields[pair_fields + plane * params.plane + y * pitch + x / 4u][x % 4u];
}

fn enlarged_component(plane: u32, tx: Tap, ty: Tap, x1: u32, y1: u32, pitch: u32) -> f32 {
    let above = coarse(plane, tx.low, ty.low, pitch) * (1.0 - tx.share)
        + coarse(plane, x1, ty.low, pitch) * tx.share;
    let below = coarse(plane, tx.low, y1, pitch) * (1.0 - tx.share)
        + coarse(plane, x1, y1, pitch) * tx.share;
    return params.enlargement * (above * (1.0 - ty.share) + below * ty.share);
}

// The coarser level's flow at a pixel of this one, in pixels of this one.
fn enlarged(x: u32, y: u32) -> vec2<f32> {
    if x >= level.width || y >= level.height {
        return vec2<f32>();
    }
    let coarser = progress.level + 1u;
    let size = vec2<u32>(levels[coarser].width, levels[coarser].height);
    let pitch = levels[coarser].pitch;
    let tx = taps[level.taps_x + x];
    let ty = taps[level.taps_y + y];
    let x1 = min(tx.low + 1u, size.x - 1u);
    let y1 = min(ty.low + 1u, size.y - 1u);
    let plane = progress.parity * STATE_PLANES;
    return vec2<f32>(
        enlarged_component(plane, tx, ty, x1, y1, pitch),
        enlarged_component(plane + 1u, tx, ty, x1, y1, pitch),
    );
}

// Starts a level: flow from the coarser one, or rest, and duals of zero.
fn enter() {
    // for ROW in 0..HEIGHT
    u[ROW] = vec4<f32>();
    v[ROW] = vec4<f32>();
    ux[ROW] = vec4<f32>();
    vx[ROW] = vec4<f32>();
    uy[ROW + 1] = vec4<f32>();
    vy[ROW + 1] = vec4<f32>();
    // end ROW
    if progress.level + 1u >= params.levels {
        return;
    }
    for (var row = 0u; row < HEIGHT; row++) {
        let y = corner.y + row;
        let a = enlarged(corner.x, y);
        let b = enlarged(corner.x + 1u, y);
        let c = enlarged(corner.x + 2u, y);
        let d = enlarged(corner.x + 3u, y);
        u[HEIGHT] = vec4<f32>(a.x, b.x, c.x, d.x);
        v[HEIGHT] = vec4<f32>(a.y, b.y, c.y, d.y);
        // for ROW in 0..HEIGHT
        u[ROW] = u[ROW + 1];
        v[ROW] = v[ROW + 1];
        // end ROW
    }
}

// Whether the thread's row lies in the level; its vector in a plane of the fields.
fn has_row(row: u32) -> bool {
    return corner.x < level.width && corner.y + row < level.height;
}

fn at_row(plane: u32, row: u32) -> u32 {
    return pair_fields + plane * params.plane + (corner.y + row) * level.pitch + corner.x / 4u;
}

fn load(plane: u32, row: u32) -> vec4<f32> {
    if has_row(row) {
        return fields[at_row(plane, row)];
    }
    return vec4<f32>();
}

fn load_state() {
    let plane = progress.parity * STATE_PLANES;
    // for ROW in 0..HEIGHT
    u[ROW] = load(plane, ROWu);
    v[ROW] = load(plane + 1u, ROWu);
    ux[ROW] = load(plane + 2u, ROWu);
    uy[ROW + 1] = load(plane + 3u, ROWu);
    vx[ROW] = load(plane + 4u, ROWu);
    vy[ROW + 1] = load(plane + 5u, ROWu);
    // end ROW
}

fn store_state() {
    let plane = (1u - progress.parity) * STATE_PLANES;
    // for ROW in 0..HEIGHT
    if has_row(ROWu) {
        fields[at_row(plane, ROWu)] = u[ROW];
        fields[at_row(plane + 1u, ROWu)] = v[ROW];
        fields[at_row(plane + 2u, ROWu)] = ux[ROW];
        fields[at_row(plane + 3u, ROWu)] = uy[ROW + 1];
        fields[at_row(plane + 4u, ROWu)] = vx[ROW];
        fields[at_row(plane + 5u, ROWu)] = vy[ROW + 1];
    }
    // end ROW
}

fn load_linear() {
    // for ROW in 0..HEIGHT
    gx[ROW] = load(LINEAR, ROWu);
    gy[ROW] = load(LINEAR + 1u, ROWu);
    rest[ROW] = load(LINEAR + 2u, ROWu);
    inverse[ROW] = load(LINEAR + 3u, ROWu);
    // end ROW
}

fn store_linear() {
    // for ROW in 0..HEIGHT
    if has_row(ROWu) {
        fields[at_row(LINEAR, ROWu)] = gx[ROW];
        fields[at_row(LINEAR + 1u, ROWu)] = gy[ROW];
        fields[at_row(LINEAR + 2u, ROWu)] = rest[ROW];
        fields[at_row(LINEAR + 3u, ROWu)] = inverse[ROW];
    }
    // end ROW
}

// The finished flow, from the fields into the result.
fn store_result(pair: u32) {
    let plane = progress.parity * STATE_PLANES;
    let size = vec2<u32>(level.width, level.height);
    for (var row = 0u; row < HEIGHT; row++) {
        let y = corner.y + row;
        let here_u = load(plane, row);
        let here_v = load(plane + 1u, row);
        for (var lane = 0u; lane < 4u; lane++) {
            let x = corner.x + lane;
            if x < size.x && y < size.y {
                result[plane_index(size, 2u * pair, vec2<u32>(x, y))] = here_u[lane];
                result[plane_index(size, 2u * pair + 1u, vec2<u32>(x, y))] = here_v[lane];
            }
        }
    }
}

// After which iteration of its last block a pair came to rest, or NEVER. Every
// workgroup finds it by the same sums in the same order.
fn rested_after(last: Progress, pair: u32, index: u32) -> u32 {
    let slot = index % DEPTH;
    let tiles = levels[last.level].tiles_x * levels[last.level].tiles_y;
    let base = ((last.steps & 1u) * params.pairs + pair) * params.most_tiles;
    var sum = vec4<f32>();
    if slot < last.iterations {
        // Four at a time, so that their loads overlap.
        let apart = THREADS / DEPTH;
        for (var tile = index / DEPTH; tile < tiles; tile += 4u * apart) {
            let four = tile + apart * vec4<u32>(0u, 1u, 2u, 3u);
            let at = (base + min(four, vec4<u32>(tiles - 1u))) * DEPTH + slot;
            let loaded = vec4<f32>(changes[at.x], changes[at.y], changes[at.z], changes[at.w]);
            sum += select(vec4<f32>(), loaded, four < vec4<u32>(tiles));
        }
    }
    partial[index] = (sum.x + sum.y) + (sum.z + sum.w);
    workgroupBarrier();
    if index < DEPTH {
        stage[index] = sum_of_parts(index);
    }
    workgroupBarrier();
    if index == 0u {
        let enough = levels[last.level].enough;
        var first = NEVER;
        // for SLOT in 0..DEPTH
        if SLOTu < last.iterations && stage[SLOT] <= enough {
            first = min(first, SLOTu);
        }
        // end SLOT
        found = first;
    }
    return workgroupUniformLoad(&found);
}

// Entry `index` of every row of DEPTH in `partial`.
fn sum_of_parts(index: u32) -> f32 {
    var sum = 0.0;
    // for PART in 0..THREADS / DEPTH
    sum += partial[PARTu * DEPTH + index];
    // end PART
    return sum;
}

// The block that follows `last`, which came to rest after iteration `rested`.
// Its number of iterations is set by the caller.
fn following(last: Progress, rested: u32) -> Progress {
    var next = last;
    next.steps = last.steps + 1u;
    next.settled = 0u;
    if last.settled == 0u && rested != NEVER && rested + 1u < last.iterations {
        // It went too far: once more from where it began, and no further than that.
        next.iterations = rested + 1u;
        next.settled = 1u;
        return next;
    }
    next.parity = 1u - last.parity;
    next.inner = last.inner + last.iterations;
    if next.inner >= params.inner {
        next.inner = 0u;
        next.outer = last.outer + 1u;
    }
    if last.settled != 0u || rested != NEVER || next.outer >= params.outer {
        next.inner = 0u;
        next.outer = 0u;
        next.warp = last.warp + 1u;
        // Nothing is coarser than the coarsest level, where a pair begins.
        if last.level >= params.levels || next.warp >= levels[last.level].warps {
            next.warp = 0u;
            if last.level == 0u {
                next.finished = 1u;
            } else {
                next.level = last.level - 1u;
            }
        }
    }
    return next;
}

// Adds up what all threads have in `moves`; the sums of `count` iterations go into
// `changes`. Once a step, since a sum in every iteration would hold all threads up.
fn sum_changes(count: u32, sums: u32, index: u32) {
    // Rows of 17 lie in different banks.
    // for SLOT in 0..DEPTH
    exchange[index * (DEPTH + 1u) + SLOTu] = moves[SLOT];
    // end SLOT
    workgroupBarrier();
    let slot = index % DEPTH;
    let first = index - slot;
    var sum = 0.0;
    // for SLOT in 0..DEPTH
    sum += exchange[(first + SLOTu) * (DEPTH + 1u) + slot];
    // end SLOT
    partial[index] = sum;
    workgroupBarrier();
    if index < count {
        changes[sums + index] = sum_of_parts(index);
    }
}

// `count` inner iterations, or, where the tile is the whole level, as many until the
// flow rests. Returns how many were done, and in y whether it is known to rest.
fn iterate(count: u32, is_whole: bool, own: bool, sums: u32, index: u32) -> vec2<u32> {
    put_duals();
    var done = 0u;
    loop {
        workgroupBarrier();
        if is_whole && done > 0u {
            if index == 0u {
                var sum = 0.0;
                // for SLOT in 0..DEPTH
                sum += stage[SLOT];
                // end SLOT
                total = sum;
            }
            if workgroupUniformLoad(&total) <= level.enough {
                return vec2<u32>(done, 1u);
            }
        }
        if done >= count {
            break;
        }
        let moved = select(0.0, flow_step(), own);
        if is_whole {
            partial[index] = moved;
        } else {
            moves[done] = moved;
        }
        put_flow();
        workgroupBarrier();
        if is_whole && index < DEPTH {
            stage[index] = sum_of_parts(index);
        }
        dual_step();
        put_duals();
        done += 1u;
    }
    if !is_whole {
        sum_changes(count, sums, index);
    }
    return vec2<u32>(done, 0u);
}

@compute @workgroup_size(THREADS_X, THREADS_Y, 1)
fn tvl1(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(local_invocation_id) local: vec3<u32>,
    @builtin(local_invocation_index) index: u32,
) {
    let tile = group.x;
    let pair = group.y;
    let last = before[pair];
    let speaks = tile == 0u && index == 0u;
    if last.finished != 0u {
        if speaks {
            after[pair] = last;
        }
        return;
    }
    var rested = NEVER;
    if last.settled == 0u {
        rested = rested_after(last, pair, index);
    }
    progress = following(last, rested);
    level = levels[progress.level];
    if tile >= level.tiles_x * level.tiles_y {
        return;
    }
    let report = params.report + pair * params.report_length;
    if speaks && progress.parity != last.parity && last.iterations > 0u {
        // The last block stands.
        result[report + 2u + last.level] += f32(last.iterations);
    }

    thread = local.xy;
    pair_fields = pair * PLANES_PER_PAIR * params.plane;
    let tile_at = vec2<u32>(tile % level.tiles_x, tile / level.tiles_x);
    let advance = vec2<u32>(TILE_X, TILE_Y) - 2u * level.halo;
    let offset = thread * vec2<u32>(4u, HEIGHT);
    corner = tile_at * advance + offset;
    // Own pixels are those without the halo, which the picture's edges do not have.
    let is_last = tile_at + 1u == vec2<u32>(level.tiles_x, level.tiles_y);
    let own = all((tile_at == vec2<u32>(0u)) | (offset >= vec2<u32>(level.halo)))
        && all(is_last | (offset < vec2<u32>(TILE_X, TILE_Y) - level.halo));

    if progress.finished != 0u {
        if own {
            store_result(pair);
        }
        if speaks {
            result[report] = 1.0;
            result[report + 1u] = f32(progress.steps);
            after[pair] = progress;
        }
        return;
    }

    let is_whole = level.tiles_x * level.tiles_y == 1u;
    if progress.settled == 0u {
        progress.iterations = params.inner - progress.inner;
        if !is_whole {
            let room = level.halo - select(0u, 2u, params.median != 0u && progress.inner == 0u);
            progress.iterations = min(progress.iterations, room);
        }
    }
    if progress.warp == 0u && progress.outer == 0u && progress.inner == 0u {
        enter();
    } else {
        load_state();
    }
    var begins_warp = progress.outer == 0u && progress.inner == 0u;
    if !begins_warp {
        load_linear();
    }
    let sums = (((progress.steps & 1u) * params.pairs + pair) * params.most_tiles + tile) * DEPTH;
    // Of a level that is one tile all rounds and warps are done at once.
    var count = 0u;
    loop {
        if begins_warp {
            linearise();
            if own && !is_whole {
                store_linear();
            }
        }
        if params.median != 0u && progress.inner == 0u {
            median();
        }
        let done = iterate(progress.iterations, is_whole, own, sums, index);
        if !is_whole {
            break;
        }
        count += done.x;
        progress.outer += 1u;
        begins_warp = done.y != 0u || progress.outer >= params.outer;
        if begins_warp {
            progress.outer = 0u;
            progress.warp += 1u;
            if progress.warp >= levels[progress.level].warps {
                break;
            }
        }
    }
    if own {
        store_state();
    }
    if speaks {
        if is_whole {
            progress.warp = levels[progress.level].warps - 1u;
            progress.iterations = 0u;
            progress.settled = 1u;
            result[report + 2u + progress.level] = f32(count);
        }
        after[pair] = progress;
    }
}
