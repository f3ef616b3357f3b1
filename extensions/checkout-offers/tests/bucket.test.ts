import {describe, expect, test} from 'vitest';

import cases from '../../../tests/experiments/bucket.cases.json';
import {assign, bucket} from '../src/bucket.ts';

interface Assigned {
  salt: string;
  ramp: number;
  weights: Record<string, number>;
  unit: string;
  arm: string | null;
}

const named = (weights: Record<string, number>) => {
  const total = Object.values(weights).reduce((sum, weight) => sum + weight, 0);
  return Object.entries(weights)
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([name, weight]) => ({name, share: weight / total}));
};

describe('the same bucketing as the server', () => {
  test.each(cases.buckets)('of $unit', ({salt, unit, bucket: expected}) => {
    expect(bucket(salt, unit)).toBe(expected);
  });

  test.each(cases.arms as unknown as Assigned[])('$unit is in $arm at a ramp of $ramp', ({salt, ramp, weights, unit, arm}) => {
    expect(assign({salt, ramp, arms: named(weights)}, unit)).toBe(arm);
  });
});

test('an experiment without arms assigns nobody', () => {
  expect(assign({salt: 's', ramp: 1, arms: []}, 'client:0')).toBeNull();
});
