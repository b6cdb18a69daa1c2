-- It waits for its InferenceService; that this serves one model only, or has no memory left, does not pass.
if obj.status == nil or obj.status.conditions == nil then
  return {status = "Progressing", message = "KServe's controller has not looked at it yet"}
end

local result = {status = "Progressing", message = "not Ready yet"}
for _, condition in ipairs(obj.status.conditions) do
  local message = condition.message or condition.reason or ""
  if condition.status == "False" and
     (condition.type == "IsMMSPredictor" or condition.type == "MemoryResourceAvailable") then
    return {status = "Degraded", message = message}
  end
  if condition.type == "Ready" then
    if condition.status == "True" then
      result = {status = "Healthy", message = "Ready"}
    elseif message ~= "" then
      result = {status = "Progressing", message = message}
    end
  end
end
return result
