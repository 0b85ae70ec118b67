// Before the first step of a batch of TV-L1 flows: the gain of every pair's second
// picture and where the pair stands. One workgroup a pair.
// CPU twin of the gain: Pyramid::gain_to in src/motion/pyramid.rs.

struct Begin {
    // Texels of one pyramid.
    pyramid: u32,
    levels: u32,
    // 1: find the gain. 0: it is 1.
    equalise: u32,
    // A gain further than this from 1 is a change of scene and not applied.
    largest_change: f32,
    // Where the batch's report begins in `result`, and its values per pair.
    report: u32,
    report_length: u32,
}

@group(0) @binding(0) var<uniform> params: Begin;
// Which of the pyramids are a pair's first and second.
@group(0) @binding(1) var<storage, read> pairs: array<vec2<u32>>;
@group(0) @binding(2) var<storage, read> texels: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> progress: array<Progress>;
@group(0) @binding(4) var<storage, read_write> result: array<f32>;

// Of the first picture's and the second's blocks; a ratio of 0 marks a dark block.
var<workgroup> targets: array<f32, 256>;
var<workgroup> sources: array<f32, 256>;
var<workgroup> ratios: array<f32, 256>;

fn block_sum(pyramid: u32, block: u32) -> f32 {
    return texels[pyramid * params.pyramid + block / 4u][block % 4u];
}

@compute @workgroup_size(256, 1, 1)
fn tvl1_begin(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(local_invocation_index) index: u32,
) {
    let pair = pairs[group.x];
    let wanted = block_sum(pair.x, index);
    let found = block_sum(pair.y, index);
    let lit = wanted > 0.0 && found > 0.0;
    var ratio = 0.0;
    if lit {
        ratio = wanted / found;
    }
    ratios[index] = ratio;
    workgroupBarrier();
    // The ratio's place in ascending order, and how many there are.
    var rank = 0u;
    var count = 0u;
    for (var i = 0u; i < 256u; i++) {
        let other = ratios[i];
        if other > 0.0 {
            count += 1u;
            if other < ratio || (other == ratio && i < index) {
                rank += 1u;
            }
        }
    }
    let quarter = count / 4u;
    let middle = lit && rank >= quarter && rank < count - quarter;
    targets[index] = select(0.0, wanted, middle);
    sources[index] = select(0.0, found, middle);
    workgroupBarrier();
    for (var half = 128u; half > 0u; half /= 2u) {
        if index < half {
            targets[index] += targets[index + half];
            sources[index] += sources[index + half];
        }
        workgroupBarrier();
    }
    let report = params.report + group.x * params.report_length;
    for (var i = index; i < params.report_length; i += 256u) {
        result[report + i] = 0.0;
    }
    if index == 0u {
        var gain = 1.0;
        if params.equalise != 0u && sources[0] > 0.0 {
            let measured = targets[0] / sources[0];
            if abs(measured - 1.0) <= params.largest_change {
                gain = measured;
            }
        }
        // As if a level coarser than all had just been finished.
        var start: Progress;
        start.level = params.levels;
        start.settled = 1u;
        start.parity = 1u;
        start.first = pair.x * params.pyramid;
        start.second = pair.y * params.pyramid;
        start.gain = gain;
        progress[group.x] = start;
    }
}
