/** Parts of the bootstrap over images: Efron and Tibshirani, An Introduction to the Bootstrap, 1993. */

/** A sample of as many images as there are, with replacement: how often each of `count` was drawn. */
export function drawImages(count: number, random: () => number): Int32Array {
  const weights = new Int32Array(count);
  for (let draw = 0; draw < count; draw++) {
    const image = Math.floor(random() * count);
    weights[image] = (weights[image] as number) + 1;
  }
  return weights;
}

/** Of ascending values, linear between them. @param share in [0, 1]. */
export function quantile(ascending: Float64Array, share: number): number {
  const place = share * (ascending.length - 1);
  const below = ascending[Math.floor(place)] as number;
  const above = ascending[Math.ceil(place)] as number;
  return below + (place - Math.floor(place)) * (above - below);
}
