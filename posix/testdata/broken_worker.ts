throw new RangeError("Broken on purpose");
