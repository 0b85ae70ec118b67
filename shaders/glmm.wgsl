// Lagrangian magnification (S1): the reference picture as a mesh with a node at
// every pixel, moved by a displacement in pixels. Its rim stands outside the
// picture and rests. Where the mesh folds, the part that moves more lies on top.
// CPU twin: src/motion/cpu/glmm.rs.

struct Glmm {
    // In pixels.
    width: u32,
    height: u32,
    // How far outside the rim stands; further than anything moves.
    rim: f32,
    spare: u32,
}

@group(0) @binding(0) var<uniform> params: Glmm;
// Pixel after pixel: to the right, down.
@group(0) @binding(1) var<storage, read> moved: array<vec2<f32>>;
// Bits of the squared displacement on top, plus 1; 0 is none.
@group(0) @binding(2) var<storage, read_write> strength: array<atomic<u32>>;
// 2³² − 1 less the number of the triangle on top, the least of equal ones; 0 is none.
@group(0) @binding(3) var<storage, read_write> owner: array<atomic<u32>>;
// 8-bit red in the lowest byte, green, blue; row by row.
@group(0) @binding(3) var<storage, read> picture: array<u32>;
@group(0) @binding(4) var<storage, read_write> warped: array<u32>;
// The last step's view of the owners.
@group(0) @binding(2) var<storage, read> owners: array<u32>;

const EDGE = 1e-4;

struct Node {
    // In the reference and in the result, in pixels.
    source: vec2<f32>,
    end: vec2<f32>,
}

struct Triangle {
    a: Node,
    b: Node,
    c: Node,
    // Doubled; not above 0 where it is turned over.
    area: f32,
    strength: u32,
}

fn along(at: u32, length: u32) -> f32 {
    if at == 0u {
        return -params.rim;
    }
    if at == length + 1u {
        return f32(length - 1u) + params.rim;
    }
    return f32(at - 1u);
}

// Of (width + 2) × (height + 2).
fn node(i: u32, j: u32) -> Node {
    let source = vec2<f32>(along(i, params.width), along(j, params.height));
    if i == 0u || j == 0u || i > params.width || j > params.height {
        return Node(source, source);
    }
    return Node(source, source + moved[(j - 1u) * params.width + i - 1u]);
}

fn reach(n: Node) -> f32 {
    let d = n.end - n.source;
    return d.x * d.x + d.y * d.y;
}

fn double_area(a: vec2<f32>, b: vec2<f32>, c: vec2<f32>) -> f32 {
    return (b.x - a.x) * (c.y - a.y) - (b.y - a.y) * (c.x - a.x);
}

// Two to each cell of the mesh.
fn triangle(number: u32) -> Triangle {
    let cell = number / 2u;
    let i = cell % (params.width + 1u);
    let j = cell / (params.width + 1u);
    let right = node(i + 1u, j);
    let below = node(i, j + 1u);
    var first = node(i, j);
    var second = right;
    var third = below;
    if number % 2u == 1u {
        first = node(i + 1u, j + 1u);
        second = below;
        third = right;
    }
    let most = max(reach(first), max(reach(second), reach(third)));
    let area = double_area(first.end, second.end, third.end);
    return Triangle(first, second, third, area, bitcast<u32>(most) + 1u);
}

// Shares of the corners at a point.
fn shares(t: Triangle, p: vec2<f32>) -> vec3<f32> {
    return vec3<f32>(
        double_area(t.b.end, t.c.end, p),
        double_area(t.c.end, t.a.end, p),
        double_area(t.a.end, t.b.end, p),
    ) / t.area;
}

// First and last pixel that a triangle can cover; the last lies before the first
// where there is none.
struct Bounds {
    low: vec2<i32>,
    high: vec2<i32>,
}

fn bounds(t: Triangle) -> Bounds {
    if !(t.area > 0.0) {
        return Bounds(vec2<i32>(0), vec2<i32>(-1));
    }
    let low = min(t.a.end, min(t.b.end, t.c.end));
    let high = max(t.a.end, max(t.b.end, t.c.end));
    let last = vec2<i32>(i32(params.width), i32(params.height)) - 1;
    return Bounds(
        max(vec2<i32>(ceil(low - EDGE)), vec2<i32>(0)),
        min(vec2<i32>(floor(high + EDGE)), last),
    );
}

fn number_of(id: vec3<u32>, groups: vec3<u32>) -> u32 {
    return id.y * groups.x * 64u + id.x;
}

fn triangles() -> u32 {
    return 2u * (params.width + 1u) * (params.height + 1u);
}

// How far moves what lies on top at each pixel.
@compute @workgroup_size(64, 1, 1)
fn cover(
    @builtin(global_invocation_id) id: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
) {
    let number = number_of(id, groups);
    if number >= triangles() {
        return;
    }
    let t = triangle(number);
    let box = bounds(t);
    for (var y = box.low.y; y <= box.high.y; y++) {
        for (var x = box.low.x; x <= box.high.x; x++) {
            let share = shares(t, vec2<f32>(f32(x), f32(y)));
            if all(share >= vec3<f32>(-EDGE)) {
                atomicMax(&strength[u32(y) * params.width + u32(x)], t.strength);
            }
        }
    }
}

// Which triangle that is.
@compute @workgroup_size(64, 1, 1)
fn claim(
    @builtin(global_invocation_id) id: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
) {
    let number = number_of(id, groups);
    if number >= triangles() {
        return;
    }
    let t = triangle(number);
    let box = bounds(t);
    for (var y = box.low.y; y <= box.high.y; y++) {
        for (var x = box.low.x; x <= box.high.x; x++) {
            let here = u32(y) * params.width + u32(x);
            let share = shares(t, vec2<f32>(f32(x), f32(y)));
            if all(share >= vec3<f32>(-EDGE)) && atomicLoad(&strength[here]) == t.strength {
                atomicMax(&owner[here], 0xffffffffu - number);
            }
        }
    }
}

// Keys' cubic convolution with a = −½ at a distance of t from the second of four.
fn cubic(t: f32) -> vec4<f32> {
    let t2 = t * t;
    let t3 = t2 * t;
    return vec4<f32>(
        -0.5 * t3 + t2 - 0.5 * t,
        1.5 * t3 - 2.5 * t2 + 1.0,
        -1.5 * t3 + 2.0 * t2 + 0.5 * t,
        0.5 * t3 - 0.5 * t2,
    );
}

// The picture at a position, borders repeated.
fn bicubic(at: vec2<f32>) -> vec4<f32> {
    let last = vec2<i32>(i32(params.width), i32(params.height)) - 1;
    let p = clamp(at, vec2<f32>(0.0), vec2<f32>(last));
    let base = floor(p);
    let wx = cubic(p.x - base.x);
    let wy = cubic(p.y - base.y);
    var sum = vec4<f32>(0.0);
    for (var j = 0; j < 4; j++) {
        let row = clamp(i32(base.y) + j - 1, 0, last.y) * (last.x + 1);
        var line = vec4<f32>(0.0);
        for (var i = 0; i < 4; i++) {
            let pixel = picture[row + clamp(i32(base.x) + i - 1, 0, last.x)];
            line += wx[i] * unpack4x8unorm(pixel);
        }
        sum += wy[j] * line;
    }
    return sum;
}

// The picture that the moved mesh shows.
@compute @workgroup_size(8, 8, 1)
fn glmm(@builtin(global_invocation_id) id: vec3<u32>) {
    if id.x >= params.width || id.y >= params.height {
        return;
    }
    let here = id.y * params.width + id.x;
    var source = vec2<f32>(id.xy);
    if owners[here] != 0u {
        let t = triangle(0xffffffffu - owners[here]);
        let share = shares(t, source);
        source = t.a.source + share.y * (t.b.source - t.a.source)
            + share.z * (t.c.source - t.a.source);
    }
    warped[here] = pack4x8unorm(vec4<f32>(bicubic(source).xyz, 1.0));
}
