/* What if one parameter had another value? The cost as a function of it, and the network with that value.
 *
 * state.nudge is {dw, address, version, grey, target}: dw is added to the parameter at the address, as long as the
 * others are what is shown. The network itself keeps its parameters. */

import { parameterAt, setParameter } from "./chain_rule.js";
import { sameAddress } from "./navigation.js";
import { backward, cost, forwardFrom } from "./network.js";

export const POINTS = 121; // of a curve; the one in the middle is the parameter as it is
const LEAST_REACH = 5;

/* Δw of what is looked at, or 0. */
export function nudgeOf({ nudge, looked, version, grey, target }) {
  const isShown = nudge?.version === version && nudge.grey === grey && nudge.target === target;
  return isShown && looked && sameAddress(nudge.address, looked) ? nudge.dw : 0;
}

/* The view as it would be with the nudge that is tried. */
export function nudged(view) {
  const dw = nudgeOf(view);
  if (dw === 0) return view;
  const { network, trace, looked, y } = view;
  return withNudge(network, looked, dw, () => {
    const after = forwardFrom(network, trace, looked.layer);
    return { ...view, trace: after, derivatives: y && fullBackward(view, after) };
  });
}

/* As computed() of state.js has it, which computes ∂C_0/∂a of the pixels only where it is shown. */
function fullBackward({ network, y, derivatives }, trace) {
  const after = backward(network, trace, y);
  after.dC_dA[0] = derivatives.dC_dA[0];
  return after;
}

/* C_0 after a change of one parameter by dw. */
export function costWith({ network, trace, y }, address, dw) {
  return withNudge(network, address, dw, () => cost(network, forwardFrom(network, trace, address.layer), y));
}

/* C_0 as a function of a parameter: {w, reach, points}, points a list of {dw, cost} from −reach to reach. */
export function costCurve(view, address) {
  const w = parameterAt(view.network, address);
  const reach = reachOf(w);
  const middle = (POINTS - 1) / 2;
  const points = Array.from({ length: POINTS }, (_, i) => {
    const dw = ((i - middle) / middle) * reach;
    return { dw, cost: costWith(view, address, dw) };
  });
  return { w, reach, points };
}

/* A round number, so large that the curve reaches 0. */
function reachOf(w) {
  const power = 10 ** Math.floor(Math.log10(Math.abs(w) || 1));
  const round = [1, 2, 5, 10].find((multiple) => multiple * power >= Math.abs(w));
  return Math.max(LEAST_REACH, round * power);
}

/* What compute returns while a parameter is larger by dw. */
export function withNudge(network, address, dw, compute) {
  const before = parameterAt(network, address);
  setParameter(network, address, before + dw);
  try {
    return compute();
  } finally {
    setParameter(network, address, before);
  }
}
