-- Where the keys are.
local P = 'slipway:'

local function run_key(id)
  return P .. 'run:' .. id
end
