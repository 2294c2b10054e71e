/* The pixels whose edges into a neuron the diagram draws: the strongest. */

/* The pixels with the largest |value| on their edge to a neuron, strongest first; null where there is none. */
export function strongestPixels(pixels, value, count) {
  const strongest = []; // {k, strength}, by strength
  for (const k of pixels) {
    const strength = Math.abs(value(k));
    if (strongest.length === count && strength <= strongest[count - 1].strength) continue;
    let place = strongest.length;
    while (place > 0 && strongest[place - 1].strength < strength) place--;
    strongest.splice(place, 0, { k, strength });
    if (strongest.length > count) strongest.pop();
  }
  return Array.from({ length: count }, (_, rank) => strongest[rank]?.k ?? null);
}
