// Optical strain of a batch of flows. CPU twin: src/motion/strain.rs.

struct Strain {
    // Of one flow, in pixels.
    width: u32,
    height: u32,
    flows: u32,
}

@group(0) @binding(0) var<uniform> params: Strain;
// Flow after flow, each its plane u and its plane v.
@group(0) @binding(1) var<storage, read> flows: array<f32>;
@group(0) @binding(2) var<storage, read_write> strains: array<f32>;

fn component(plane: u32, x: u32, y: u32) -> f32 {
    return flows[plane_index(vec2<u32>(params.width, params.height), plane, vec2<u32>(x, y))];
}

// Central differences, one-sided at the borders: xx, yy, xy and the magnitude, a
// plane each.
@compute @workgroup_size(16, 16, 1)
fn strain(@builtin(global_invocation_id) id: vec3<u32>) {
    let size = vec2<u32>(params.width, params.height);
    if any(id.xy >= size) || id.z >= params.flows {
        return;
    }
    let low = max(id.xy, vec2<u32>(1u)) - 1u;
    let high = min(id.xy + 1u, size - 1u);
    let scale = 1.0 / vec2<f32>(max(high - low, vec2<u32>(1u)));
    let u = id.z * 2u;
    let v = u + 1u;
    let xx = (component(u, high.x, id.y) - component(u, low.x, id.y)) * scale.x;
    let yy = (component(v, id.x, high.y) - component(v, id.x, low.y)) * scale.y;
    let u_along_y = (component(u, id.x, high.y) - component(u, id.x, low.y)) * scale.y;
    let v_along_x = (component(v, high.x, id.y) - component(v, low.x, id.y)) * scale.x;
    let xy = 0.5 * (u_along_y + v_along_x);
    let plane = id.z * 4u;
    strains[plane_index(size, plane, id.xy)] = xx;
    strains[plane_index(size, plane + 1u, id.xy)] = yy;
    strains[plane_index(size, plane + 2u, id.xy)] = xy;
    strains[plane_index(size, plane + 3u, id.xy)] = sqrt(xx * xx + yy * yy + 2.0 * xy * xy);
}

// Differences of neighbours, as SOFTNet's weights expect them: the magnitude only.
// The last column and row repeat the ones before; one pixel wide or high gives 0.
@compute @workgroup_size(16, 16, 1)
fn strain_forward(@builtin(global_invocation_id) id: vec3<u32>) {
    let size = vec2<u32>(params.width, params.height);
    if any(id.xy >= size) || id.z >= params.flows {
        return;
    }
    var magnitude = 0.0;
    if all(size >= vec2<u32>(2u)) {
        let at = min(id.xy, size - 2u);
        let u = id.z * 2u;
        let v = u + 1u;
        let u_here = component(u, at.x, at.y);
        let v_here = component(v, at.x, at.y);
        let xx = component(u, at.x + 1u, at.y) - u_here;
        let yy = component(v, at.x, at.y + 1u) - v_here;
        let shear = (component(u, at.x, at.y + 1u) - u_here)
            + (component(v, at.x + 1u, at.y) - v_here);
        magnitude = sqrt(xx * xx + yy * yy + 0.5 * shear * shear);
    }
    strains[plane_index(size, id.z, id.xy)] = magnitude;
}
