-- Where the keys are.
local function run_key(id)
  return KEY.RUN .. id
end
