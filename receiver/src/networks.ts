/** Fields as functions, on plain arrays: docs/format.md, "Architectures". */

import { Unreadable } from "./errors";
import { floats, type Field } from "./field";

/** A matrix of `outputs` rows and its biases. */
export interface Layer {
  inputs: number;
  outputs: number;
  weight: Float32Array;
  bias: Float32Array;
  /** Of the layer's first draw, which slot values are scaled with. */
  bound: number;
}

/** Points, or what a layer makes of them: `width` numbers each. */
interface Batch {
  count: number;
  width: number;
  values: Float32Array;
}

export interface Network {
  layers: Layer[];
  /** Return the values at points, `axes` coordinates each. */
  at(points: Float32Array): Float32Array;
}

const SLOPE = 0.01;
const MOST_LAYERS = 33;

/** Build the network of a field for images or sounds. */
export function networkOf(field: Field): Network {
  const { architecture, sizes } = field.facts;
  const axes = field.facts.size.length;
  const layers = layersOf(field);
  if (architecture === "siren") {
    const w0 = sizes["w0"]!;
    setBounds(layers, (inputs) => Math.sqrt(6 / inputs) / w0);
    layers[0]!.bound = 1 / axes;
    return { layers, at: (points) => sines(layers, batch(points, axes), w0) };
  }
  if (architecture === "grid") {
    setBounds(layers, (inputs) => Math.sqrt(6 / inputs));
    const last = layers.at(-1)!;
    last.bound = Math.sqrt(3 / last.inputs);
    const read = featureGrids(field);
    return { layers, at: (points) => sines(layers, read(batch(points, axes)), 1) };
  }
  if (architecture !== "fourier") throw new Unreadable();
  setBounds(layers, (inputs) => 1 / Math.sqrt(inputs));
  const frequencies = tensorOf(field, "encoder.frequencies");
  const features = (points: Batch) => fourierFeatures(frequencies, points);
  return { layers, at: (points) => residuals(layers, features(batch(points, axes))) };
}

function setBounds(layers: Layer[], bound: (inputs: number) => number): void {
  for (const layer of layers) layer.bound = bound(layer.inputs);
}

function batch(values: Float32Array, width: number): Batch {
  return { count: values.length / width, width, values };
}

function tensorOf(field: Field, name: string): Float32Array {
  const tensor = field.tensors.get(name);
  if (!tensor) throw new Unreadable();
  return floats(tensor);
}

function layersOf(field: Field): Layer[] {
  const layers: Layer[] = [];
  for (let at = 0; at < MOST_LAYERS; at++) {
    const shape = field.tensors.get(`decoder.layers.${at}.weight`)?.shape;
    if (!shape) break;
    const [outputs, inputs] = shape as [number, number];
    const weight = tensorOf(field, `decoder.layers.${at}.weight`);
    const bias = tensorOf(field, `decoder.layers.${at}.bias`);
    const fits = at === 0 || layers[at - 1]!.outputs === inputs;
    if (shape.length !== 2 || bias.length !== outputs || !fits) throw new Unreadable();
    layers.push({ inputs, outputs, weight, bias, bound: 0 });
  }
  if (layers.at(-1)?.outputs !== field.facts.channels) throw new Unreadable();
  return layers;
}

/** Return W x + b of each point; four points at a time share a row of W. */
function linear(layer: Layer, points: Batch): Batch {
  const { inputs, outputs, weight, bias } = layer;
  if (points.width !== inputs) throw new Unreadable();
  const { count, values } = points;
  const found = new Float32Array(count * outputs);
  for (let point = 0; point < count; point += 4) {
    const a = point * inputs; // behind the last point stands the last one again
    const b = Math.min(point + 1, count - 1) * inputs;
    const c = Math.min(point + 2, count - 1) * inputs;
    const d = Math.min(point + 3, count - 1) * inputs;
    for (let output = 0; output < outputs; output++) {
      const row = output * inputs;
      let sumA = bias[output]!;
      let sumB = sumA;
      let sumC = sumA;
      let sumD = sumA;
      for (let input = 0; input < inputs; input++) {
        const factor = weight[row + input]!;
        sumA += factor * values[a + input]!;
        sumB += factor * values[b + input]!;
        sumC += factor * values[c + input]!;
        sumD += factor * values[d + input]!;
      }
      const at = point * outputs + output; // an array takes nothing beyond its end
      found[at] = sumA;
      found[at + outputs] = sumB;
      found[at + 2 * outputs] = sumC;
      found[at + 3 * outputs] = sumD;
    }
  }
  return { count, width: outputs, values: found };
}

/** Layers of sin(w0 (W x + b)), the last one linear. */
function sines(layers: Layer[], points: Batch, w0: number): Float32Array {
  let shown = points;
  layers.forEach((layer, at) => {
    shown = linear(layer, shown);
    if (at === layers.length - 1) return;
    const { values } = shown;
    for (let place = 0; place < values.length; place++) values[place] = Math.sin(w0 * values[place]!);
  });
  return shown.values;
}

/** LeakyReLU layers, each added to its input where the widths agree, then a linear one, tanh. */
function residuals(layers: Layer[], points: Batch): Float32Array {
  let shown = points;
  for (const layer of layers.slice(0, -1)) {
    const before = shown;
    shown = linear(layer, before);
    const { values } = shown;
    const added = before.width === shown.width ? before.values : undefined;
    for (let place = 0; place < values.length; place++) {
      const value = values[place]!;
      values[place] = (value < 0 ? SLOPE * value : value) + (added?.[place] ?? 0);
    }
  }
  return linear(layers.at(-1)!, shown).values.map(Math.tanh);
}

/** All sines of 2 pi B x, then all cosines. */
function fourierFeatures(frequencies: Float32Array, points: Batch): Batch {
  const axes = points.width;
  const half = frequencies.length / axes;
  const values = new Float32Array(points.count * 2 * half);
  for (let point = 0; point < points.count; point++) {
    for (let at = 0; at < half; at++) {
      let phase = 0;
      for (let axis = 0; axis < axes; axis++) {
        phase += frequencies[at * axes + axis]! * points.values[point * axes + axis]!;
      }
      values[2 * half * point + at] = Math.sin(2 * Math.PI * phase);
      values[2 * half * point + half + at] = Math.cos(2 * Math.PI * phase);
    }
  }
  return { count: points.count, width: 2 * half, values };
}

/** Return what reads all grids at points, by bilinear interpolation; the coordinates come last. */
function featureGrids(field: Field): (points: Batch) => Batch {
  const { size } = field.facts;
  const longest = Math.max(...size);
  const within = size.map((side) => side / longest);
  const grids = [...field.tensors.keys()]
    .filter((name) => name.startsWith("encoder.grids."))
    .sort((a, b) => Number(a.split(".")[2]) - Number(b.split(".")[2]))
    .map((name) => {
      const [, channels, rows, columns] = field.tensors.get(name)!.shape as number[];
      return { channels: channels!, rows: rows!, columns: columns!, cells: tensorOf(field, name) };
    });
  const width = grids.reduce((sum, grid) => sum + grid.channels, 2);
  return ({ count, values }) => {
    const found = new Float32Array(count * width);
    for (let point = 0; point < count; point++) {
      const [y, x] = [values[2 * point]!, values[2 * point + 1]!];
      let at = point * width;
      for (const { channels, rows, columns, cells } of grids) {
        const down = between(y / within[0]!, rows);
        const across = between(x / within[1]!, columns);
        for (let channel = 0; channel < channels; channel++) {
          const start = channel * rows * columns;
          const above = mixed(cells, start + down.from * columns, across);
          const below = mixed(cells, start + down.to * columns, across);
          found[at++] = above + (below - above) * down.share;
        }
      }
      found[at] = y;
      found[at + 1] = x;
    }
    return { count, width, values: found };
  };
}

/** Of `cells` cells between -1 and 1, the two whose centres are around a place. */
function between(place: number, cells: number): { from: number; to: number; share: number } {
  const at = Math.min(Math.max(((place + 1) * cells - 1) / 2, 0), cells - 1);
  const from = Math.floor(at);
  return { from, to: Math.min(from + 1, cells - 1), share: at - from };
}

function mixed(cells: Float32Array, row: number, across: ReturnType<typeof between>): number {
  const left = cells[row + across.from]!;
  return left + (cells[row + across.to]! - left) * across.share;
}
